// Passkeys: asks the browser and posts what it answers. Refusing or cancelling is silent and leaves everything as it was.

const text = JSON.parse(document.getElementById("rk-text")?.textContent ?? "{}")
const able = typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"

const options = () => JSON.parse(document.getElementById("passkey-options").textContent)

function say(form, message) {
  const status = form.querySelector("[data-passkey-status]")
  if (status) status.textContent = message ?? ""
}

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential.toJSON())
  form.dataset.answered = "yes"
  form.submit()
}

async function ask(form) {
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options()) })
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options()) })
}

for (const form of document.querySelectorAll("form[data-passkey=get], form[data-passkey=create]")) {
  if (!able) say(form, text.no_passkeys)
  // Before the busy state of all forms, which would take the button away for good.
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    event.stopPropagation()
    if (!able) return
    try {
      const credential = await ask(form)
      if (credential) send(form, credential)
    } catch (problem) {
      say(form, problem.name === "InvalidStateError" ? text.passkey_there : text.passkey_cancelled)
    }
  })
}

// What only makes sense where the browser can make one.
for (const part of document.querySelectorAll("[data-if-passkeys]")) part.hidden = !able

// Sign-in: the field offers passkeys from the moment the page is open, and the button asks for one at once.
async function signIn(form) {
  let waiting
  const question = async () => {
    const response = await fetch(form.dataset.options, { headers: { Accept: "application/json" } })
    if (!response.ok) throw new Error("no challenge")
    const found = await response.json()
    form.elements.state.value = found.state
    return PublicKeyCredential.parseRequestOptionsFromJSON(found.options)
  }
  const autofill = async () => {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
    waiting = new AbortController()
    try {
      const publicKey = await question()
      const credential = await navigator.credentials.get({ publicKey, mediation: "conditional", signal: waiting.signal })
      if (credential) send(form, credential)
    } catch {
      // Cancelled, or the button took over.
    }
  }
  form.hidden = false
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    event.stopPropagation()
    waiting?.abort()
    try {
      const credential = await navigator.credentials.get({ publicKey: await question() })
      if (credential) send(form, credential)
    } catch {
      say(form, text.passkey_cancelled)
      autofill()
    }
  })
  autofill()
  // A challenge lives for ten minutes: a page that stays open asks for a new one in time.
  setInterval(() => {
    if (!waiting || form.dataset.answered) return
    waiting.abort()
    autofill()
  }, 8 * 60 * 1000)
}
const door = document.querySelector("form[data-passkey=sign-in]")
if (door && able) signIn(door)

// Recovery codes: print and keep as a file.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false
  button.addEventListener("click", () => print())
}
for (const button of document.querySelectorAll("[data-download]")) {
  button.hidden = false
  button.addEventListener("click", () => {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([`${button.dataset.download}\n`], { type: "text/plain" }))
    link.download = button.dataset.filename
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
