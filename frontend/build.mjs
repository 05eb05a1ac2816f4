// Builds everything that the browser loads. `node build.mjs [--out DIR]`; DIR stands for the repository's root.
import { build } from "esbuild"
import { cp, mkdir, readFile, writeFile } from "node:fs/promises"
import path from "node:path"
import { fileURLToPath } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const flag = process.argv.indexOf("--out")
const root = flag > 0 ? path.resolve(process.argv[flag + 1]) : path.dirname(here)
const rk = path.join(root, "static/rk")
const modules = path.join(here, "node_modules")

// One CSS or JavaScript entry a line. A bundle that only some pages load gets its own line.
const ENTRIES = ["css/console.css", "js/console.ts", "js/theme.ts", "js/chart.ts"]
// Sign-in, consent and account pages: another look, another folder.
const ACCOUNT = ["account.css", "account.js", "sum.js"]
// Shadows of Unfold's own files: the same path in static/, found first.
const SHADOWS = { "unfold/js/alpine/alpine.js": "js/alpine.ts" }

const FONTS = {
  "inter-latin": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "inter-latin-ext": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
  "jetbrains-mono-latin-400": "@fontsource/jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2",
  "jetbrains-mono-latin-500": "@fontsource/jetbrains-mono/files/jetbrains-mono-latin-500-normal.woff2",
}

const options = {
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome120", "firefox121", "safari17"],
  legalComments: "inline",
  external: ["*.woff2"],
  logLevel: "warning",
}

async function text(name) {
  return (await readFile(path.join(modules, name), "utf8")).trim()
}

async function write(file, content) {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
}

async function bundles() {
  for (const entry of ENTRIES) {
    const name = path.basename(entry).replace(/\.ts$/, ".js")
    await build({ ...options, entryPoints: [path.join(here, "src", entry)], outfile: path.join(rk, name) })
  }
  for (const entry of ACCOUNT) {
    await build({ ...options, entryPoints: [path.join(here, "account", entry)], outfile: path.join(root, "static/account", entry) })
  }
  for (const [name, entry] of Object.entries(SHADOWS)) {
    await build({ ...options, entryPoints: [path.join(here, "src", entry)], outfile: path.join(root, "static", name) })
  }
}

// One htmx for our pages and for Unfold's, with its websocket extension behind it.
async function htmx() {
  const license = "/*! htmx 2.0.11 and htmx-ext-ws 2.0.4, BSD Zero Clause License */\n"
  const extension = (await build({
    entryPoints: [path.join(modules, "htmx-ext-ws/ws.js")], minify: true, write: false, target: options.target,
  })).outputFiles[0].text
  await write(path.join(root, "static/unfold/js/htmx/htmx.js"),
    `${license}${await text("htmx.org/dist/htmx.min.js")}\n${extension}`)
}

async function vendored() {
  await write(path.join(rk, "plotly.js"), `${await text("plotly.js-basic-dist-min/plotly-basic.min.js")}\n`)
  for (const [name, source] of Object.entries(FONTS)) {
    await mkdir(path.join(rk, "fonts"), { recursive: true })
    await cp(path.join(modules, source), path.join(rk, "fonts", `${name}.woff2`))
  }
}

// Icons are inlined by {% icon %}: no font, no second request, nothing that flashes. One path each.
async function icons() {
  const names = (await readFile(path.join(here, "icons.txt"), "utf8")).split("\n").filter(Boolean).sort()
  const paths = {}
  for (const name of names) {
    const svg = await text(`@material-symbols/svg-400/outlined/${name}.svg`)
    paths[name] = /<path d="([^"]+)"/.exec(svg)[1]
  }
  await write(path.join(root, "console/shell/icons.json"), `${JSON.stringify(paths, null, 0).replaceAll('","', '",\n"')}\n`)
}

await Promise.all([bundles(), htmx(), vendored(), icons()])
