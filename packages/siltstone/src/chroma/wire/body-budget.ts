/**
 * Bounds the memory of requests whose bodies are being received or worked on. A request reserves the size that it
 * announces before its body is read, and is refused at once when that is too much together with the others.
 */
import { type SiltstoneError, unavailable } from '../../errors.ts'

/** Bodies up to this size are counted, but never refused, so that large ones do not keep queries away. */
const SMALL_BYTES = 64 * 1024

export class BodyBudget {
  readonly #maxBytes: number
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  open(): BodyReservation {
    let ownBytes = 0
    return {
      grow: (bytes) => {
        const others = this.#usedBytes - ownBytes
        // A body larger than the whole budget is received when it is alone.
        if (ownBytes + bytes > SMALL_BYTES && others > 0 && others + ownBytes + bytes > this.#maxBytes)
          throw tooMany(others, ownBytes + bytes, this.#maxBytes)
        ownBytes += bytes
        this.#usedBytes += bytes
      },
      release: () => {
        this.#usedBytes -= ownBytes
        ownBytes = 0
      },
    }
  }
}

/** The part of one request. */
export interface BodyReservation {
  /** @throws SiltstoneError `unavailable` (bodies-in-flight), answered with 429 */
  grow(bytes: number): void
  release(): void
}

function tooMany(othersBytes: number, bytes: number, maxBytes: number): SiltstoneError {
  return unavailable(
    'bodies-in-flight',
    `The server is working on ${othersBytes} bytes of other request bodies, and this one has ${bytes}; at most ${maxBytes} are taken at a time (limit maxBodiesBytes). Send it again later, or in smaller parts`,
    { retryAfterMs: 1_000 },
  )
}
