// The command palette: a combobox whose options the server renders.
import { all, on, one, onHtmx } from "./dom"

const input = (): HTMLInputElement | null => one<HTMLInputElement>("#palette input")
const options = (): HTMLElement[] => all("#palette [role=option]")

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
  onHtmx<{ target: HTMLElement }>("afterSettle", ({ detail }) => {
    if (detail.target.id === "palette-options") select(0)
  })
  on("keydown", "#palette input", (event) => {
    const list = options()
    const at = list.findIndex((option) => option.getAttribute("aria-selected") === "true")
    if (event.key === "ArrowDown") select((at + 1) % Math.max(list.length, 1))
    else if (event.key === "ArrowUp") select((at - 1 + list.length) % Math.max(list.length, 1))
    else if (event.key === "Enter") {
      const chosen = list[at]
      if (chosen) follow(chosen, event.ctrlKey || event.metaKey)
    } else return
    event.preventDefault()
  })
  on("click", "#palette [role=option]", (event, option) => {
    if (event.ctrlKey || event.metaKey || event.button !== 0) return
    event.preventDefault()
    follow(option, false)
  })
}
