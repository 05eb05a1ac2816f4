// Relative times that stay true, and the realm's clock.
import { all, say } from "./dom"

// Each unit is a sentence of its own: "vor 3 Tagen", but "3 Tage".
function passed(signed: number): string {
  const way = signed >= 0 ? "ago" : "in"
  const seconds = Math.abs(signed)
  if (seconds < 60) return say(`${way}S`, { n: Math.floor(seconds) })
  if (seconds < 3600) return say(`${way}Min`, { n: Math.floor(seconds / 60) })
  if (seconds < 86400) return say(`${way}H`, { n: Math.floor(seconds / 3600) })
  const days = Math.floor(seconds / 86400)
  return say(days === 1 ? `${way}Day` : `${way}Days`, { n: days })
}

function refresh(): void {
  const now = Date.now()
  for (const time of all("time[data-relative]")) {
    const seconds = (now - Date.parse(time.getAttribute("datetime") ?? "")) / 1000
    if (Number.isNaN(seconds)) continue
    const text = passed(seconds)
    if (text && time.textContent !== text) time.textContent = text
  }
  for (const clock of all("time[data-clock]")) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
      timeZone: clock.dataset.clock, weekday: "short", day: "numeric", month: "short",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    })
    const parts = Object.fromEntries(format.formatToParts(now).map((part) => [part.type, part.value]))
    for (const name of ["weekday", "month"]) parts[name] = (parts[name] ?? "").replace(/\.$/, "")
    clock.textContent = `${say("clock", parts)} ${clock.dataset.zone ?? ""}`
  }
}

export function startTimes(): void {
  refresh()
  window.setInterval(refresh, 5000)
}
