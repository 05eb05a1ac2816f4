// Copy buttons, typed confirmation, theme, CSRF, charts on demand.
import { all, announce, on, one, onHtmx, say } from "./dom"
import { toast } from "./toasts"

async function copy(button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "")
  } catch {
    const area = document.createElement("textarea")
    area.value = button.dataset.copy ?? ""
    ;(button.closest("dialog") ?? document.body).append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  button.classList.add("done")
  announce(say("copied"))
  window.setTimeout(() => button.classList.remove("done"), 1500)
}

function confirmTyped(input: HTMLInputElement): void {
  const expected = input.dataset.confirm ?? ""
  const typed = input.value.trim()
  const matches = typed === expected
  for (const button of all<HTMLButtonElement>("[data-confirm-target]", input.form ?? document)) button.disabled = !matches
  const hint = one("#confirm-hint", input.form ?? document)
  if (!hint) return
  hint.textContent = matches ? say("match")
    : expected.startsWith(typed) ? say("toGo", { n: expected.length - typed.length }) : say("mismatch")
}

function startTheme(): void {
  const root = document.documentElement
  const show = (): void => {
    for (const button of all("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme ?? "system")))
    }
  }
  const choose = (theme: string): void => {
    root.dataset.theme = theme
    const secure = location.protocol === "https:" ? "; Secure" : ""
    document.cookie = `rk_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`
    document.dispatchEvent(new CustomEvent("rk:theme-chosen"))
    show()
  }
  show()
  on("click", "[data-theme-choice]", (event, button) => {
    event.preventDefault()
    choose(button.dataset.themeChoice ?? "system")
  })
  on("click", "[data-theme-toggle]", () => choose(root.classList.contains("dark") ? "light" : "dark"))
}

// Charts bring their library along: only pages with a chart load it.
function startCharts(): void {
  let asked = false
  const look = (): void => {
    const plot = one("[data-chart-plot]")
    if (!plot || asked) return
    asked = true
    for (const source of [plot.dataset.plotly, plot.dataset.src]) {
      const script = document.createElement("script")
      script.src = source ?? ""
      script.async = false
      document.head.append(script)
    }
  }
  look()
  onHtmx("load", look)
}

export function startSmall(): void {
  on("click", "[data-copy]", (_event, button) => void copy(button))
  on("input", "[data-confirm]", (_event, input) => confirmTyped(input as HTMLInputElement))
  onHtmx("load", ({ target }) => {
    for (const input of all<HTMLInputElement>("[data-confirm]", target as HTMLElement)) confirmTyped(input)
  })
  for (const input of all<HTMLInputElement>("[data-confirm]")) confirmTyped(input)
  onHtmx<{ headers: Record<string, string> }>("configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = document.body.dataset.csrf ?? ""
  })
  // The first wrong field gets the focus, so that its error is read.
  one('main [aria-invalid="true"]')?.focus()
  onHtmx<{ xhr: XMLHttpRequest, target: HTMLElement }>("afterSettle", ({ detail }) => {
    if (detail.xhr?.status !== 422) return
    const region = detail.target.isConnected ? detail.target : document.getElementById(detail.target.id)
    one('[aria-invalid="true"]', region ?? document)?.focus()
  })
  // A double click on a write must not send it twice.
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement
    if (form.method !== "post" || form.matches("[hx-post]")) return
    if (form.dataset.sent) return event.preventDefault()
    form.dataset.sent = "1"
  })
  addEventListener("pageshow", () => {
    for (const form of all<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent
  })
  // On a phone the open tab may lie outside of what fits: it is brought in, without moving the page.
  for (const tab of all(".tabs [aria-current]")) {
    const bar = tab.parentElement
    if (bar) bar.scrollLeft += tab.getBoundingClientRect().right - bar.getBoundingClientRect().right
  }
  startTheme()
  startCharts()
  if (one("[data-stale]")) toast(one("[data-stale]")?.textContent ?? "", "warning")
}
