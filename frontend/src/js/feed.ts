// The live feed: merges repeats, holds still while someone points or focuses, resumes after a lost connection.
import { all, announce, on, one, onHtmx, say } from "./dom"

interface SocketWrapper { send(message: string, element: HTMLElement): void, sendImmediately(message: string, element: HTMLElement): void }
interface Oob { fragment: DocumentFragment, shouldSwap: boolean }

const MAX = 50
let waiting: HTMLElement[] = []
let paused = false
let pointed = false
let fresh = 0
let freshCritical = 0
let announced = 0
let lostAt = ""

const list = (): HTMLElement | null => one("#feed")
const isHeld = (): boolean => paused || pointed

function lastId(): string {
  const ids = all("#feed [data-event-id]").map((row) => row.dataset.eventId ?? "")
  return [...ids, ...waiting.map((row) => row.dataset.eventId ?? "")].sort().at(-1) ?? ""
}

function clock(): string {
  return new Intl.DateTimeFormat(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", hour12: false }).format()
}

function take(rows: HTMLElement[]): void {
  const known = new Set([...all("#feed [data-event-id]"), ...waiting].map((row) => row.dataset.eventId))
  for (const row of rows) {
    if (known.has(row.dataset.eventId)) continue
    known.add(row.dataset.eventId)
    waiting.push(row)
    fresh += 1
    if (row.dataset.severity === "critical") {
      freshCritical += 1
      announce(row.textContent?.trim() ?? "")
    }
  }
  if (waiting.length > 500) waiting = waiting.slice(-500)
  if (!isHeld()) release()
  showState()
}

// Newest first whatever the order of arrival: ids grow with time.
function release(): void {
  const feed = list()
  if (!feed || !waiting.length) return
  for (const row of waiting) {
    const id = row.dataset.eventId ?? ""
    const below = all("[data-event-id]", feed).find((other) => (other.dataset.eventId ?? "") < id)
    feed.insertBefore(row, below ?? null)
    window.htmx.process(row)
  }
  waiting = []
  for (const closing of all("[data-closes]", feed)) settle(closing.dataset.closes ?? "")
  for (const row of all("[data-event-id]", feed).slice(Number(feed.dataset.max ?? MAX))) row.remove()
  const empty = one("[data-feed-empty]")
  if (empty) empty.hidden = true
}

// Somebody has closed the alert: there is nothing left to do from the rows that told of it.
function settle(alert: string): void {
  for (const acts of all(`.ra[data-acts-on="${CSS.escape(alert)}"]`)) acts.remove()
}

function showState(): void {
  const label = one("[data-feed-state]")
  if (!label) return
  const state = lostAt ? "lost" : paused ? "paused" : pointed && waiting.length ? "held" : ""
  label.hidden = !state
  label.dataset.state = state
  const words = label.querySelector("span")
  if (words) {
    words.textContent = state === "lost" ? say("lost", { time: lostAt })
      : state === "paused" ? say("paused", { n: waiting.length })
        : state === "held" ? say("held", { n: waiting.length }) : ""
  }
  const note = one("[data-feed-lost]")
  if (note) note.hidden = !lostAt
}

function connection(state: "live" | "connecting" | "lost"): void {
  const label = one("[data-connection]")
  if (label) {
    label.hidden = false
    label.dataset.state = state
    const words = label.querySelector("span")
    if (words) words.textContent = (label.dataset[state] ?? "").replace("{time}", lostAt)
  }
  showState()
}

function announcePolitely(): void {
  if (!fresh || Date.now() - announced < 30_000) return
  announced = Date.now()
  announce(freshCritical ? say("newCritical", { n: fresh, c: freshCritical }) : say("new", { n: fresh }))
  fresh = freshCritical = 0
}

function setPaused(value: boolean): void {
  paused = value
  const button = one("[data-feed-pause]")
  button?.setAttribute("aria-pressed", String(paused))
  const words = button?.querySelector("span")
  if (words) words.textContent = say(paused ? "resume" : "pause")
  if (!isHeld()) release()
  showState()
}

export function togglePause(): boolean {
  if (!list()) return false
  setPaused(!paused)
  return true
}

export function startFeed(): void {
  onHtmx<{ socketWrapper: SocketWrapper }>("wsOpen", ({ detail }) => {
    lostAt = ""
    connection("live")
    const feed = one("[data-feed]")
    if (feed) detail.socketWrapper.sendImmediately(JSON.stringify({ resume: lastId() }), feed)
  })
  onHtmx("wsConnecting", () => { if (!lostAt) connection("connecting") })
  onHtmx<{ event: CloseEvent }>("wsClose", ({ detail }) => {
    // 4403: the session, the role or the realm was taken away. The next request says what happened.
    if (detail.event?.code === 4403) return location.reload()
    lostAt ||= clock()
    connection("lost")
  })
  onHtmx("wsError", () => {
    lostAt ||= clock()
    connection("lost")
  })
  onHtmx<{ message: string }>("wsBeforeMessage", (event) => {
    if (event.detail.message.startsWith('{"reload"')) {
      event.preventDefault()
      location.reload()
    }
  })
  onHtmx<Oob>("oobBeforeSwap", (event) => {
    if (event.detail.target?.id !== "feed") return
    event.detail.shouldSwap = false
    take([...event.detail.fragment.querySelectorAll<HTMLElement>("[data-event-id]")])
  })
  on("mouseover", "#feed", () => { pointed = true })
  on("focusin", "#feed", () => { pointed = true })
  const leave = (event: Event): void => {
    const feed = list()
    if (!feed || !pointed) return
    const into = (event as MouseEvent | FocusEvent).relatedTarget
    if (into instanceof Node && feed.contains(into)) return
    pointed = feed.matches(":hover, :focus-within")
    if (!isHeld()) release()
    showState()
  }
  on("mouseout", "#feed", leave)
  on("focusout", "#feed", (event) => window.setTimeout(() => leave(event), 0))
  on("click", "[data-feed-pause]", () => { togglePause() })
  on("click", "[data-feed-connect]", () => location.reload())
  window.setInterval(announcePolitely, 5000)
}
