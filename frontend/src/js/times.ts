// Relative times that stay true, and the realm's clock.
import { all, say } from "./dom"

function span(seconds: number): string {
  if (seconds < 60) return say("s", { n: Math.floor(seconds) })
  if (seconds < 3600) return say("min", { n: Math.floor(seconds / 60) })
  if (seconds < 86400) return say("h", { n: Math.floor(seconds / 3600) })
  const days = Math.floor(seconds / 86400)
  return say(days === 1 ? "day" : "days", { n: days })
}

function refresh(): void {
  const now = Date.now()
  for (const time of all("time[data-relative]")) {
    const seconds = (now - Date.parse(time.getAttribute("datetime") ?? "")) / 1000
    if (Number.isNaN(seconds)) continue
    const text = say(seconds >= 0 ? "ago" : "in", { t: span(Math.abs(seconds)) })
    if (text && time.textContent !== text) time.textContent = text
  }
  for (const clock of all("time[data-clock]")) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
      timeZone: clock.dataset.clock, weekday: "short", day: "numeric", month: "short",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    })
    const parts = Object.fromEntries(format.formatToParts(now).map((part) => [part.type, part.value]))
    const { weekday, day, month, hour, minute } = parts
    clock.textContent = `${weekday} ${day} ${month}, ${hour}:${minute} ${clock.dataset.zone ?? ""}`
  }
}

export function startTimes(): void {
  refresh()
  window.setInterval(refresh, 5000)
}
