// The command palette: a combobox whose options the server renders.
import { all, on, one, onHtmx } from "./dom"

const input = (): HTMLInputElement | null => one<HTMLInputElement>("#palette input")
const options = (): HTMLElement[] => all("#palette [role=option]")

// The options answer what was typed a moment ago. Until those for what stands in the field have come, steps are counted
// and Enter waits: who types fast would otherwise open what he no longer asks for.
let awaited = false
let steps = 0
let opening: { newTab: boolean } | null = null

function awaitOptions(): void {
  awaited = true
  steps = 0
  opening = null
}

function arrive(): void {
  awaited = false
  const list = options()
  select(list.length ? (((steps % list.length) + list.length) % list.length) : 0)
  const chosen = list.find((option) => option.getAttribute("aria-selected") === "true")
  if (opening && chosen) follow(chosen, opening.newTab)
  opening = null
}

function select(index: number): void {
  const list = options()
  for (const [at, option] of list.entries()) option.setAttribute("aria-selected", String(at === index))
  const chosen = list[index]
  const field = input()
  if (!field) return
  if (chosen) {
    field.setAttribute("aria-activedescendant", chosen.id)
    chosen.scrollIntoView({ block: "nearest" })
  } else field.removeAttribute("aria-activedescendant")
}

export function openPalette(): void {
  const dialog = one<HTMLDialogElement>("#palette")
  if (!dialog || dialog.open) return
  dialog.showModal()
  const field = input()
  if (!field) return
  field.value = ""
  field.focus()
  awaitOptions()
  field.dispatchEvent(new CustomEvent("rk:open"))
}

function follow(option: HTMLElement, newTab: boolean): void {
  const link = option as HTMLAnchorElement
  if (newTab) window.open(link.href, "_blank", "noopener")
  else if (link.hasAttribute("data-dialog")) {
    one<HTMLDialogElement>("#palette")?.close()
    window.htmx.ajax("get", link.href, "#dialog")
  } else location.assign(link.href)
}

export function startPalette(): void {
  on("click", "[data-palette]", (event) => {
    event.preventDefault()
    openPalette()
  })
  on("input", "#palette input", awaitOptions)
  onHtmx<{ target: HTMLElement; requestConfig: { parameters: { q?: string } } }>("afterSettle", ({ detail }) => {
    if (detail.target.id === "palette-options" && detail.requestConfig.parameters.q === input()?.value) arrive()
  })
  for (const failure of ["responseError", "sendError"]) {
    onHtmx<{ elt: HTMLElement }>(failure, ({ detail }) => {
      if (detail.elt === input()) awaited = false
    })
  }
  on("keydown", "#palette input", (event) => {
    const list = options()
    const at = list.findIndex((option) => option.getAttribute("aria-selected") === "true")
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    const newTab = event.ctrlKey || event.metaKey
    if (step && awaited) steps += step
    else if (step) select((at + step + list.length) % Math.max(list.length, 1))
    else if (event.key === "Enter" && awaited) opening = { newTab }
    else if (event.key === "Enter") {
      const chosen = list[at]
      if (chosen) follow(chosen, newTab)
    } else return
    event.preventDefault()
  })
  on("click", "#palette [role=option]", (event, option) => {
    if (event.ctrlKey || event.metaKey || event.button !== 0) return
    event.preventDefault()
    follow(option, false)
  })
}
