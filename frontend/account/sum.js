// A worker: finds the number with which SHA-256 of "challenge:number" begins with so many zero bits.
// SHA-256 is written out (FIPS 180-4): WebCrypto answers each hash by a promise, which costs more than the hash.

const K = new Uint32Array(64)
const H = new Uint32Array(8)
for (let n = 2, found = 0; found < 64; n += 1) {
  let prime = true
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break }
  if (!prime) continue
  if (found < 8) H[found] = (n ** 0.5 % 1) * 2 ** 32
  K[found] = (n ** (1 / 3) % 1) * 2 ** 32
  found += 1
}

const W = new Uint32Array(64)
const state = new Uint32Array(8)

function compress(view, at) {
  for (let i = 0; i < 16; i += 1) W[i] = view.getUint32(at + i * 4)
  for (let i = 16; i < 64; i += 1) {
    const a = W[i - 15], b = W[i - 2]
    const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3)
    const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10)
    W[i] = W[i - 16] + s0 + W[i - 7] + s1
  }
  let [a, b, c, d, e, f, g, h] = state
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d
  state[4] += e; state[5] += f; state[6] += g; state[7] += h
}

function leadingZeros(bytes) {
  const length = ((bytes.length + 8) >> 6) * 64 + 64
  const padded = new Uint8Array(length)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(length - 4, bytes.length * 8)
  state.set(H)
  for (let at = 0; at < length; at += 64) compress(view, at)
  return state[0] ? Math.clz32(state[0]) : 32 + Math.clz32(state[1])
}

const encoder = new TextEncoder()

addEventListener("message", (event) => {
  const { challenge, bits } = event.data
  for (let number = 0; ; number += 1) {
    if (leadingZeros(encoder.encode(`${challenge}:${number}`)) >= bits) {
      postMessage(String(number))
      return
    }
  }
})
