// Keyboard shortcuts. Single letters can be turned off and are ignored while someone types.
import { all, on, one, isTyping } from "./dom"
import { togglePause } from "./feed"
import { clearSelection, moveRow } from "./lists"
import { openPalette } from "./palette"

const OFF = "rk-keys-off"
let jumping = 0

function showChoice(): void {
  for (const button of all("[data-keys-toggle]")) button.setAttribute("aria-pressed", String(!localStorage.getItem(OFF)))
}

function showShortcuts(): void {
  one<HTMLDialogElement>("#shortcuts")?.showModal()
}

const LETTERS: Record<string, () => unknown> = {
  "?": showShortcuts,
  "/": () => one("[data-search]")?.focus(),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  n: () => one<HTMLElement>(".acts [data-add], .empty .btn.pri")?.click(),
  c: () => one<HTMLElement>("[data-contain]")?.click(),
  g: () => { jumping = Date.now() },
}

function letter(event: KeyboardEvent): void {
  const key = event.key.toLowerCase()
  if (Date.now() - jumping < 1200) {
    jumping = 0
    const link = one<HTMLAnchorElement>(`[data-jump="${CSS.escape(key)}"]`)
    if (link) {
      event.preventDefault()
      link.click()
    }
    return
  }
  const run = LETTERS[key]
  if (!run) return
  event.preventDefault()
  run()
}

export function startKeys(): void {
  showChoice()
  on("click", "[data-shortcuts]", showShortcuts)
  on("click", "[data-keys-toggle]", () => {
    if (localStorage.getItem(OFF)) localStorage.removeItem(OFF)
    else localStorage.setItem(OFF, "1")
    showChoice()
  })
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault()
      return openPalette()
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const modal = one("dialog:modal")
    if (event.key === "Escape" && !modal && clearSelection()) return event.preventDefault()
    if (isTyping() || localStorage.getItem(OFF)) return
    if (modal && !(modal.id === "drawer" && ["j", "k"].includes(event.key))) return
    if (event.key === " " && !(document.activeElement as HTMLElement)?.matches("button, a, summary, input")) {
      if (togglePause()) event.preventDefault()
      return
    }
    letter(event)
  })
}
