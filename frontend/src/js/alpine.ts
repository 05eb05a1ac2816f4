// Alpine's build for a strict CSP, under the name that Unfold's templates load. It evaluates no code, so what Unfold keeps
// in globals and in an inline x-data of <body> becomes a component here.
import Alpine from "@alpinejs/csp"

declare global {
  interface Window { Alpine: typeof Alpine }
}

function tabOfAddress(): string | null {
  const name = location.hash.slice(1)
  return name && document.getElementById(`${name}-group`) ? name : null
}

window.Alpine = Alpine
document.addEventListener("alpine:init", () => {
  Alpine.data("unfoldPage", () => ({
    openModal: false,
    modalContentClasses: "",
    filterModalOpen: false,
    filterOpen: false,
    shortcutsOpen: false,
    openCommandResults: false,
    sidebarOpen: true,
    sidebarWidth: 236,
    activeTab: "",
    init(this: { activeTab: string, $el: HTMLElement }) {
      this.activeTab = tabOfAddress() ?? this.$el.dataset.activeTab ?? ""
    },
  }))
})
queueMicrotask(() => Alpine.start())
