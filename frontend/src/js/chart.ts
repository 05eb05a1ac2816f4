// Draws the figures that the server built, with the page's colors, again when the theme or the width changes.
import { all, on, one, onHtmx } from "./dom"

interface Figure { data: Record<string, unknown>[], layout: Record<string, unknown> }
interface PlotlyLike {
  react(element: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<void>
  Plots: { resize(element: HTMLElement): void }
}
declare global {
  interface Window { Plotly: PlotlyLike }
}

const LANGUAGE = document.documentElement.lang || "en"

// What Plotly calls days and months and how it writes numbers, asked of the browser: it ships English alone.
function words(): Record<string, unknown> {
  const names = (options: Intl.DateTimeFormatOptions, dates: Date[]): string[] => {
    const format = new Intl.DateTimeFormat(LANGUAGE, { ...options, timeZone: "UTC" })
    return dates.map((date) => format.format(date).replace(/\.$/, ""))
  }
  const days = Array.from({ length: 7 }, (_, n) => new Date(Date.UTC(2023, 0, 1 + n))) // begins on a Sunday
  const months = Array.from({ length: 12 }, (_, n) => new Date(Date.UTC(2023, n, 1)))
  const parts = new Intl.NumberFormat(LANGUAGE).formatToParts(1234567.8)
  const part = (type: string): string | undefined => parts.find((piece) => piece.type === type)?.value
  return {
    days: names({ weekday: "long" }, days), shortDays: names({ weekday: "short" }, days),
    months: names({ month: "long" }, months), shortMonths: names({ month: "short" }, months),
    decimal: part("decimal") ?? ".", thousands: part("group") ?? ",",
  }
}

const CONFIG = {
  displayModeBar: false, responsive: false, doubleClick: false, showTips: false, staticPlot: false,
  locale: LANGUAGE, locales: { [LANGUAGE]: { dictionary: {}, format: words() } },
}
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })

// Plotly can't read oklch() or var(): every color goes through a canvas and comes out as rgba.
function color(value: string): string {
  const name = /^var\((--[\w-]+)(?:, ?([\d.]+))?\)$/.exec(value)
  if (!name || !canvas) return value
  canvas.clearRect(0, 0, 1, 1)
  canvas.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name[1]!).trim()
  canvas.fillRect(0, 0, 1, 1)
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data as unknown as [number, number, number, number]
  return `rgba(${red}, ${green}, ${blue}, ${(alpha / 255) * Number(name[2] ?? 1)})`
}

function resolved<T>(value: T): T {
  if (typeof value === "string") return color(value) as T
  if (Array.isArray(value)) return value.map(resolved) as T
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)])) as T
  }
  return value
}

const watched = new WeakSet<Element>()

function draw(section: HTMLElement): void {
  const plot = one("[data-chart-plot]", section)
  if (!plot?.dataset.figure) return
  const figure = JSON.parse(plot.dataset.figure) as Figure
  const table = one("[data-chart-rows]", section)
  const button = one("[data-chart-table]", section)
  if (button) button.hidden = false
  const asTable = button?.getAttribute("aria-pressed") === "true"
  plot.hidden = asTable
  if (table) table.hidden = !asTable
  if (asTable) return
  void window.Plotly.react(plot, resolved(figure.data), { ...resolved(figure.layout), autosize: true }, CONFIG)
  if (watched.has(plot)) return
  watched.add(plot)
  const observer = new ResizeObserver(() => {
    // A swapped-out chart gets a last call: Plotly refuses what is not on the page.
    if (!plot.isConnected) observer.disconnect()
    else if (plot.offsetParent) window.Plotly.Plots.resize(plot)
  })
  observer.observe(plot)
}

function drawAll(within: ParentNode = document): void {
  for (const section of all("[data-chart]", within)) draw(section)
}

drawAll()
document.addEventListener("rk:theme", () => drawAll())
onHtmx("load", ({ detail }) => {
  if (detail.elt.matches("[data-chart]")) draw(detail.elt)
  else drawAll(detail.elt)
})
on("click", "[data-chart-table]", (_event, button) => {
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"))
  const section = button.closest<HTMLElement>("[data-chart]")
  if (section) draw(section)
})
