// Runs before the first paint: the theme that this person chose. The server has already set it unless it is the system's.
const root = document.documentElement
const system = matchMedia("(prefers-color-scheme: dark)")

function apply(): void {
  const chosen = root.dataset.theme ?? "system"
  root.classList.toggle("dark", chosen === "dark" || (chosen === "system" && system.matches))
}

root.classList.add("js")
apply()
system.addEventListener("change", () => {
  apply()
  document.dispatchEvent(new CustomEvent("rk:theme"))
})
document.addEventListener("rk:theme-chosen", () => {
  apply()
  document.dispatchEvent(new CustomEvent("rk:theme"))
})
