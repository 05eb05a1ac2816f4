// The sum against bots: solved in a worker from the moment the page is open, so that nobody waits for it.

const text = JSON.parse(document.getElementById("rk-text")?.textContent ?? "{}")

for (const box of document.querySelectorAll("[data-proof]")) {
  const form = box.closest("form")
  const solution = box.querySelector("[name=solution]")
  const status = box.querySelector("[data-proof-status]")
  if (!form || !solution || typeof Worker !== "function") continue
  let waiting = null
  const worker = new Worker(box.dataset.worker)
  worker.addEventListener("message", (event) => {
    solution.value = event.data
    worker.terminate()
    if (!waiting) return
    status.textContent = ""
    form.requestSubmit(waiting.button)
  })
  // The server says what is missing; the form must not hang.
  worker.addEventListener("error", () => {
    solution.value = "0"
    if (waiting) form.requestSubmit(waiting.button)
  })
  worker.postMessage({ challenge: box.dataset.proof, bits: Number(box.dataset.bits) })
  // Before the busy state of all forms: whoever is faster than the browser waits a moment, and is told.
  form.addEventListener("submit", (event) => {
    if (solution.value) return
    event.preventDefault()
    event.stopPropagation()
    waiting = { button: event.submitter }
    status.textContent = text.proof
  })
}
