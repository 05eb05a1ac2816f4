// Dialog, drawer, palette, menus, sheet. <dialog> gives the focus trap, the inert page, Esc and the way back.
import { all, on, one, onHtmx } from "./dom"

const OVERLAYS = ["dialog", "drawer"]

function open(dialog: HTMLDialogElement): void {
  if (!dialog.matches(":modal")) {
    dialog.removeAttribute("open")
    dialog.showModal()
  }
  (one("[autofocus]", dialog) ?? one(".in input:not([type=hidden]), .in select, .in textarea", dialog))?.focus()
}

// The address of the list behind the drawer, so that closing it leaves the list's address in the bar.
let behind = location.pathname + location.search

export function closeOverlays(): void {
  for (const id of OVERLAYS) one<HTMLDialogElement>(`#${id}`)?.close()
}

function whenClosed(dialog: HTMLDialogElement): void {
  dialog.addEventListener("close", () => {
    if (dialog.id === "drawer" && dialog.dataset.pushed) {
      history.replaceState(history.state, "", behind)
      delete dialog.dataset.pushed
    }
    if (OVERLAYS.includes(dialog.id)) dialog.replaceChildren()
  })
}

// The list's address without the drawer's parameter: what a page that was opened with a drawer goes back to.
function withoutEvent(): string {
  const url = new URL(location.href)
  url.searchParams.delete("event")
  return url.pathname + url.search
}

export function startOverlays(): void {
  for (const dialog of all<HTMLDialogElement>("dialog")) whenClosed(dialog)

  const drawer = one<HTMLDialogElement>("#drawer")
  if (drawer?.hasAttribute("open")) {
    behind = withoutEvent()
    drawer.dataset.pushed = "1"
    open(drawer)
  }

  onHtmx<{ target: HTMLElement }>("beforeRequest", ({ detail }) => {
    if (detail.target.id === "drawer" && !drawer?.open) behind = location.pathname + location.search
  })
  onHtmx<{ target: HTMLElement }>("afterSettle", ({ detail }) => {
    const target = detail.target
    if (!(target instanceof HTMLDialogElement) || !OVERLAYS.includes(target.id)) return
    if (!target.childElementCount) return target.close()
    if (target.id === "drawer") target.dataset.pushed = "1"
    open(target)
  })
  // A dialog that asks for the server and gets a redirect must not stay behind.
  document.addEventListener("rk:close", closeOverlays)

  on("click", "[data-close]", (event, element) => {
    const dialog = element.closest("dialog")
    if (!dialog) return
    event.preventDefault()
    dialog.close()
  })
  // A click on the backdrop is a click on the dialog itself. Forms keep their contents: only empty ones close so.
  document.addEventListener("click", (event) => {
    const dialog = event.target
    if (!(dialog instanceof HTMLDialogElement) || !dialog.matches(":modal")) return
    const box = dialog.getBoundingClientRect()
    const outside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom
    if (outside && !one("form textarea, form input:not([type=hidden])", dialog)?.matches(":user-valid")) dialog.close()
  })

  startMenus()
  startSheet()
}

// Popovers open and close by themselves; this places them under (or above) their button.
function startMenus(): void {
  document.addEventListener("toggle", (event) => {
    const menu = event.target
    if (!(menu instanceof HTMLElement) || !menu.matches("[data-menu]") || (event as ToggleEvent).newState !== "open") return
    const opener = one(`[popovertarget="${CSS.escape(menu.id)}"]`)
    if (!opener) return
    const from = opener.getBoundingClientRect()
    const size = menu.getBoundingClientRect()
    const below = from.bottom + 4 + size.height < innerHeight
    menu.style.top = `${below ? from.bottom + 4 : Math.max(8, from.top - size.height - 4)}px`
    const left = from.left + size.width < innerWidth - 8 ? from.left : from.right - size.width
    menu.style.left = `${Math.min(Math.max(8, left), innerWidth - size.width - 8)}px`
    one("a, button, input:not([type=hidden])", menu)?.focus()
  }, true)
  on("keydown", "[data-menu]", (event, menu) => {
    // A date field has arrow keys of its own.
    if (event.target instanceof HTMLInputElement || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return
    event.preventDefault()
    const items = all("a, button", menu)
    const at = items.indexOf(document.activeElement as HTMLElement)
    items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus()
  })
  on("click", "[data-menu] a[hx-get], [data-menu] button[data-keys-toggle]", (_event, element) => {
    element.closest<HTMLElement>("[data-menu]")?.hidePopover()
  })
}

function startSheet(): void {
  const side = one("#sidebar")
  const set = (isOpen: boolean): void => {
    side?.classList.toggle("open", isOpen)
    one(".rk-main")?.toggleAttribute("inert", isOpen)
    if (isOpen) (one(".rk-nav a[aria-current]") ?? one(".rk-nav a"))?.focus()
    else one("[data-sheet]")?.focus()
  }
  on("click", "[data-sheet]", (event) => {
    event.preventDefault()
    set(true)
  })
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side?.classList.contains("open")) set(false)
  })
  document.addEventListener("click", (event) => {
    if (!side?.classList.contains("open") || !(event.target instanceof Node)) return
    if (event.target instanceof Element && event.target.closest("[data-sheet]")) return
    const outside = !side.contains(event.target) || (event.target === side && event.clientX > side.getBoundingClientRect().right)
    if (outside) set(false)
  })
}
