// The console's scripts. Every page works without them; they save reloads and carry the live feed.
import { startFeed } from "./feed"
import { startKeys } from "./keys"
import { startLists } from "./lists"
import { startOverlays } from "./overlays"
import { startPalette } from "./palette"
import { startSmall } from "./small"
import { startTimes } from "./times"
import { startToasts } from "./toasts"

declare global {
  interface Window {
    htmx: { process(element: Element): void, ajax(verb: string, url: string, target: string): Promise<void> }
  }
}

startSmall()
startOverlays()
startPalette()
startToasts()
startTimes()
startLists()
startFeed()
startKeys()
