// Selection in tables, and the keys J and K that move through rows.
import { all, announce, on, one, onHtmx, say } from "./dom"

const boxes = (form: ParentNode): HTMLInputElement[] => all<HTMLInputElement>('input[name="ids"]:not(:disabled)', form)

function refresh(form: HTMLFormElement): void {
  const list = boxes(form)
  const chosen = list.filter((box) => box.checked).length
  const master = one<HTMLInputElement>("[data-select-all]", form)
  if (master) {
    master.checked = chosen > 0 && chosen === list.length
    master.indeterminate = chosen > 0 && chosen < list.length
  }
  const words = one("[data-selected-count]", form)
  if (words) words.textContent = say("selected", { n: chosen })
  for (const place of all("[data-count]", form)) place.textContent = String(chosen)
}

let last: HTMLInputElement | null = null

export function clearSelection(): boolean {
  const form = one<HTMLInputElement>('input[name="ids"]:checked')?.form
  if (!form) return false
  for (const box of boxes(form)) box.checked = false
  refresh(form)
  return true
}

export function moveRow(step: 1 | -1): void {
  const link = one<HTMLAnchorElement>(`#drawer[open] [data-${step > 0 ? "older" : "newer"}]`)
  if (link) return link.click()
  const rows = all<HTMLAnchorElement>("[data-row]")
  const at = rows.findIndex((row) => row.closest("li, tr")?.matches("[aria-current], :focus-within, .sel"))
  const next = rows[at < 0 ? 0 : at + step]
  next?.focus()
  if (next?.closest(".q")) next.click()
}

export function startLists(): void {
  on("change", 'input[name="ids"]', (_event, box) => {
    const form = (box as HTMLInputElement).form
    if (form) refresh(form)
  })
  on("click", 'input[name="ids"]', (event, element) => {
    const box = element as HTMLInputElement
    if (event.shiftKey && last?.form === box.form && box.form) {
      const list = boxes(box.form)
      const [from, to] = [list.indexOf(last!), list.indexOf(box)].sort((a, b) => a - b) as [number, number]
      for (const between of list.slice(from, to + 1)) between.checked = box.checked
      refresh(box.form)
    }
    last = box
  })
  on("change", "[data-select-all]", (_event, element) => {
    const master = element as HTMLInputElement
    if (!master.form) return
    for (const box of boxes(master.form)) box.checked = master.checked
    refresh(master.form)
  })
  on("reset", "form", (_event, form) => window.setTimeout(() => refresh(form as HTMLFormElement), 0))

  onHtmx<{ target: HTMLElement }>("afterSettle", ({ detail }) => {
    if (detail.target.id === "alert") {
      for (const item of all(".q li")) {
        item.toggleAttribute("aria-current", one<HTMLAnchorElement>("a", item)?.href === location.href)
      }
      one("#alert-title")?.focus()
    }
    if (detail.target.id !== "results") return
    const count = one("[data-result-count]", detail.target)?.textContent?.trim()
    announce(count || say("results", { n: all("tbody tr", detail.target).length }))
    if (detail.elt.matches("[data-page]")) one("tbody a, tbody input", detail.target)?.focus()
  })
  // A tab keeps its mark when only the panel was swapped.
  onHtmx<{ elt: HTMLElement, successful: boolean }>("afterRequest", ({ detail }) => {
    if (!detail.successful || !detail.elt.matches("[data-tab]")) return
    for (const tab of all("[data-tab]", detail.elt.parentElement ?? document)) tab.removeAttribute("aria-current")
    detail.elt.setAttribute("aria-current", "page")
  })
}
