// Results of writes, and the one message for a server that did not answer.
import { on, one, onHtmx, say } from "./dom"

export function toast(text: string, level = "success", link?: { url: string, label: string }): void {
  const template = one<HTMLTemplateElement>("#toast-template")
  const region = one("#toasts")
  if (!template || !region || !text) return
  const item = template.content.firstElementChild?.cloneNode(true) as HTMLElement
  const icons = one<HTMLTemplateElement>("#toast-icons")?.content
  const icon = icons?.querySelector(`[data-level="${CSS.escape(level)}"] svg`)
  if (icon) item.querySelector("svg")?.replaceWith(icon.cloneNode(true))
  item.classList.add(level)
  const place = item.querySelector("span")
  if (place) place.textContent = text
  if (place && link) {
    const anchor = document.createElement("a")
    anchor.className = "alink"
    anchor.href = link.url
    anchor.textContent = link.label
    place.append(" ", anchor)
  }
  region.append(item)
  raise(region)
  leave(item, level)
}

// Over an open dialog only the top layer is seen.
function raise(region: HTMLElement): void {
  const dialog = one<HTMLDialogElement>("dialog:modal")
  if (dialog ? region.parentElement === dialog : region.parentElement === document.body) return
  document.body.append(region)
}

// Errors stay until dismissed; the rest leaves by itself unless it is pointed at or focused.
function leave(item: HTMLElement, level: string): void {
  if (level === "error") return
  window.setTimeout(() => {
    if (item.matches(":hover, :focus-within")) leave(item, level)
    else item.remove()
  }, 7000)
}

export function startToasts(): void {
  for (const item of document.querySelectorAll<HTMLElement>("#toasts .toast")) {
    leave(item, item.classList.contains("error") ? "error" : "success")
  }
  on("click", "[data-dismiss]", (_event, element) => element.closest(".toast")?.remove())
  document.addEventListener("rk:toast", (event) => {
    const { text, level, url, label } = (event as CustomEvent<{ text: string, level: string, url?: string, label?: string }>).detail
    toast(text, level, url && label ? { url, label } : undefined)
  })
  onHtmx("sendError", () => toast(say("failed"), "error"))
  onHtmx("responseError", () => toast(say("failed"), "error"))
  onHtmx("timeout", () => toast(say("failed"), "error"))
}
