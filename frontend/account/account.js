// What scripts add to the account pages. Everything works without: this file only shows, copies and focuses.

import "./passkeys.js"
import "./proof.js"

const text = JSON.parse(document.getElementById("rk-text")?.textContent ?? "{}")

// Focus: the error first, so that it is read out; never stolen from a field that has autofocus.
const trouble = document.querySelector("[data-focus]") ?? document.querySelector("[aria-invalid=true]")
trouble?.focus({ preventScroll: false })

// Show password. The button exists only here, since without scripts it could do nothing.
for (const input of document.querySelectorAll("input[type=password]")) {
  const wrap = input.closest(".in-wrap")
  const template = document.getElementById("rk-reveal")
  if (!wrap || !template) continue
  const button = template.content.firstElementChild.cloneNode(true)
  const [closed, open] = button.querySelectorAll("span")
  button.setAttribute("aria-controls", input.id)
  button.addEventListener("click", () => {
    const shown = input.type === "password"
    input.type = shown ? "text" : "password"
    button.setAttribute("aria-pressed", String(shown))
    closed.hidden = shown
    open.hidden = !shown
    input.focus()
  })
  wrap.append(button)
  // A shown password must not land in the browser's form history.
  input.form?.addEventListener("submit", () => { input.type = "password" })
}

// Busy: the button keeps its width and says what happens; a page that comes back from the history is fresh again.
document.addEventListener("submit", (event) => {
  const form = event.target
  if (event.defaultPrevented || form.dataset.sent) {
    if (form.dataset.sent) event.preventDefault()
    return
  }
  form.dataset.sent = "yes"
  const button = event.submitter
  if (!button?.dataset.busy) return
  button.style.setProperty("min-inline-size", `${button.offsetWidth}px`)
  button.dataset.idle = button.textContent.trim()
  button.setAttribute("aria-busy", "true")
  // After the submission took the button's name and value.
  setTimeout(() => { button.textContent = button.dataset.busy })
})
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent
  for (const button of document.querySelectorAll("[aria-busy=true]")) {
    button.textContent = button.dataset.idle
    button.removeAttribute("aria-busy")
  }
})

// A captcha of another service, in the page's look. It may never come, since something blocks it: that is said before a
// whole form is filled in.
const captcha = document.querySelector("[data-captcha]")
if (captcha) {
  const look = () => { document.querySelector("[data-captcha-missing]").hidden = captcha.childElementCount > 0 }
  addEventListener("load", () => setTimeout(look, 4000))
  new MutationObserver(look).observe(captcha, { childList: true })
  // Before its script reads it.
  captcha.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
  const script = document.createElement("script")
  script.src = captcha.dataset.captcha
  document.head.append(script)
}

// Send again: not as long as it would be refused, with the time that is left; said aloud once, when it may be pressed.
for (const button of document.querySelectorAll("[data-wait]")) {
  const opens = performance.now() + Number(button.dataset.wait) * 1000
  const idle = button.textContent
  const tick = () => {
    const left = Math.ceil((opens - performance.now()) / 1000)
    button.disabled = left > 0
    if (left > 0) {
      const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`
      button.textContent = text.again_in.replace("%(time)s", time)
      setTimeout(tick, 250)
    } else {
      button.textContent = idle
      button.parentElement.querySelector("[role=status]").textContent = text.again_now
    }
  }
  tick()
}

// Copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break
  button.hidden = false
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy)
    const status = document.getElementById(button.dataset.status)
    if (status) status.textContent = text.copied
  })
}

// Menus close like menus do.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false })
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    menu.open = false
    menu.querySelector("summary").focus()
  })
}

// Strength: words first. The server decides; this says the realm's rules while typing, and why one is weak.
const ROWS = ["qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz", "01234567890"]
const COMMON = ["password", "passwort", "letmein", "welcome", "willkommen", "iloveyou", "admin", "dragon", "monkey"]

/** Whether most of the text is rows of the keyboard, the alphabet, or one part again and again. */
function isPattern(low) {
  if (/^(.{1,4})\1+.{0,3}$/su.test(low)) return true
  let inRows = 0
  for (let at = 0; at + 4 <= low.length; at += 1) {
    const part = low.slice(at, at + 4)
    const back = [...part].reverse().join("")
    if (ROWS.some((row) => row.includes(part) || row.includes(back))) inRows += 1
  }
  return inRows >= 2 && (inRows + 3) * 2 >= low.length
}

for (const panel of document.querySelectorAll("[data-strength]")) {
  const input = document.getElementById(panel.dataset.strength)
  if (!input) continue
  const least = Number(panel.dataset.least)
  const wanted = Number(panel.dataset.classes)
  const [word, advice] = panel.querySelectorAll("[data-word], [data-advice]")
  const bar = panel.querySelector(".meter")
  const ticks = Object.fromEntries([...panel.querySelectorAll("[data-tick]")].map((li) => [li.dataset.tick, li]))
  const names = () => (panel.dataset.names ?? "").split(" ").concat(
    ...[...(input.form?.querySelectorAll("input[type=email], input[autocomplete=name]") ?? [])]
      .map((other) => other.value.toLowerCase().split(/[^\p{L}\p{N}]+/u)),
  ).filter((part) => part.length > 3)

  const tick = (name, good) => {
    const item = ticks[name]
    if (!item) return
    item.className = good ? "y" : "n"
    item.querySelector("[data-yes]").hidden = !good
    item.querySelector("[data-no]").hidden = good
  }

  let timer
  input.addEventListener("input", () => {
    const value = input.value
    panel.hidden = !value
    const low = value.toLowerCase()
    const length = [...value].length
    const own = names().some((part) => low.includes(part))
    const long = length >= least
    const kinds = [/\p{Lu}/u, /[\p{Ll}\p{Lo}\p{Lt}\p{Lm}]/u, /\p{Nd}/u, /[^\p{L}\p{Nd}]/u].filter((kind) => kind.test(value)).length
    const mixed = kinds >= wanted
    const reason = COMMON.some((each) => low.includes(each) && each.length * 2 >= length) ? "common"
      : own ? "own"
        : /^\p{N}+$/u.test(value) ? "digits"
          : isPattern(low) || new Set(low).size < 4 ? "pattern"
            : !long ? "short"
              : !mixed ? "plain"
                : new Set(low).size < 7 ? "more" : ""
    let level = 1
    if (!reason) level = length >= 16 || (kinds > 2 && length >= 13) ? 4 : 3
    else if (reason === "more") level = 2
    tick("length", long)
    tick("classes", mixed)
    tick("own", !own)
    bar.className = `meter meter-${level}`
    clearTimeout(timer)
    // Said once the typing pauses: a status that changes at each key is noise.
    timer = setTimeout(() => {
      word.textContent = text.strength[level - 1]
      advice.textContent = reason ? text.advice[reason] : ""
    }, 300)
  })
}
