// SHA-256 of a file of any size, slice by slice, as a worker: crypto.subtle wants it whole in memory, and is missing
// on pages without https. Source: FIPS 180-4, sections 4.2.2 (constants), 5.3.3 (initial hash value), 6.2.2 (rounds).

const SLICE_BYTES = 4 * 2 ** 20;

// The first 32 bits of the fractional parts of the cube (square) roots of the first primes: computed, not listed.
function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime)) found.push(n);
  return found;
}

// floor(root of n * 2^32) mod 2^32 in whole numbers, as doubles do not hold 32 digits past the point of a cube root.
function rootBits(n, degree) {
  const wanted = BigInt(n) << BigInt(32 * degree);
  let low = 0n;
  let high = BigInt(n) << 32n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** BigInt(degree) <= wanted) low = middle;
    else high = middle - 1n;
  }
  return Number(BigInt.asIntN(32, low));
}

const K = Int32Array.from(primes(64), (prime) => rootBits(prime, 3));
const START = Int32Array.from(primes(8), (prime) => rootBits(prime, 2));

export class Sha256 {
  #state = START.slice();
  #words = new Int32Array(64);
  #block = new Uint8Array(64);
  #held = 0;
  #length = 0;

  update(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#held) {
      at = Math.min(64 - this.#held, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < 64) return this;
      compress(this.#state, this.#words, this.#block, 0, 64);
      this.#held = 0;
    }
    const end = bytes.length - ((bytes.length - at) % 64);
    compress(this.#state, this.#words, bytes, at, end);
    this.#block.set(bytes.subarray(end));
    this.#held = bytes.length - end;
    return this;
  }

  // Give the digest as 64 hexadecimal digits; nothing can be added afterwards.
  digest() {
    const bits = this.#length * 8;
    const padding = new Uint8Array(this.#held < 56 ? 64 - this.#held : 128 - this.#held);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits % 2 ** 32);
    this.update(padding);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

// Take whole blocks into the state; locals and no iterators, as the rest of the upload waits for this loop.
function compress(state, w, bytes, start, end) {
  let [h0, h1, h2, h3, h4, h5, h6, h7] = state;
  for (let block = start; block < end; block += 64) {
    for (let t = 0, at = block; t < 16; t += 1, at += 4) {
      w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let t = 16; t < 64; t += 1) {
      const x = w[t - 15];
      const y = w[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
    }
    let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
    for (let t = 0; t < 64; t += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + (g ^ (e & (f ^ g))) + K[t] + w[t]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) | (c & (a | b)))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    h0 = (h0 + a) | 0;
    h1 = (h1 + b) | 0;
    h2 = (h2 + c) | 0;
    h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0;
    h5 = (h5 + f) | 0;
    h6 = (h6 + g) | 0;
    h7 = (h7 + h) | 0;
  }
  state.set([h0, h1, h2, h3, h4, h5, h6, h7]);
}

async function hashFile(file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    hash.update(new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer()));
    postMessage({ done: Math.min(at + SLICE_BYTES, file.size) });
  }
  postMessage({ sha256: hash.digest() });
}

if (typeof WorkerGlobalScope !== "undefined") {
  addEventListener("message", ({ data }) => {
    hashFile(data.file).catch((error) => postMessage({ error: String(error.message || error) }));
  });
}
