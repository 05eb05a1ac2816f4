// The few things that every part needs: find, listen once for the whole document, and the page's words.

export function one<E extends HTMLElement>(selector: string, within: ParentNode = document): E | null {
  return within.querySelector<E>(selector)
}

export function all<E extends HTMLElement>(selector: string, within: ParentNode = document): E[] {
  return [...within.querySelectorAll<E>(selector)]
}

// Listens on the document, so that what htmx brings later works without being found again.
export function on<K extends keyof DocumentEventMap>(
  type: K, selector: string, run: (event: DocumentEventMap[K], element: HTMLElement) => void, capture = false,
): void {
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null
    if (target) run(event, target)
  }, capture)
}

export function say(word: string, values: Record<string, string | number> = {}): string {
  const text = one("#words")?.dataset[word] ?? ""
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name] ?? ""))
}

export function announce(text: string): void {
  const region = one("#announce")
  if (region) region.textContent = text
}

export function isTyping(): boolean {
  const active = document.activeElement
  return active instanceof HTMLElement
    && (active.isContentEditable || active.matches("input:not([type=checkbox], [type=radio]), textarea, select"))
}

export interface HtmxEvent<D = Record<string, unknown>> extends CustomEvent { detail: D & { elt: HTMLElement, target: HTMLElement } }

export function onHtmx<D = Record<string, unknown>>(type: string, run: (event: HtmxEvent<D>) => void): void {
  document.addEventListener(`htmx:${type}`, (event) => run(event as HtmxEvent<D>))
}
