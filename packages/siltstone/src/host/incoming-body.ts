/**
 * The body of a request, in the pieces in which the HTTP parser gives it. Node's own iterator joins what has come in between
 * into one buffer, which copies almost every byte once more, and stops the connection while its reader writes to the disk.
 *
 * The memory of a piece is given back when the next one is asked for, so a reader that keeps a piece makes a copy. Otherwise
 * the garbage collector would do that, and it looks at the whole heap each time that some 64 MB were received.
 *
 * An end by its reader leaves the connection open, so that an answer can be sent; what comes after that is nobody's.
 */
import type { IncomingMessage } from 'node:http'

/** What may wait for the reader before the client has to. */
const AHEAD_BYTES = 1024 * 1024

export class IncomingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #incoming: IncomingMessage
  readonly #broken: (cause: Error) => Error
  /** The piece that the reader has. */
  #lent: Uint8Array | undefined
  #chunks: Uint8Array[] = []
  /** Of the next one to be read. */
  #at = 0
  #waitingBytes = 0
  #ended = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  /** @param broken the error that a reader gets when the connection breaks before the body has ended */
  constructor(incoming: IncomingMessage, broken: (cause: Error) => Error) {
    this.#incoming = incoming
    this.#broken = broken
    if (incoming.readableEnded || incoming.destroyed) this.#onEnd(incoming.errored ?? undefined)
    else
      incoming.on('data', this.#onData).once('end', this.#onEnd).once('error', this.#onEnd).once('close', this.#onClose)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @throws the constructor's error when the connection broke */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#lent !== undefined) free(this.#lent)
    this.#lent = undefined
    while (this.#at === this.#chunks.length) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const value = this.#chunks[this.#at++] as Uint8Array
    this.#waitingBytes -= value.length
    this.#lent = value
    if (this.#at === this.#chunks.length) {
      this.#chunks = []
      this.#at = 0
      this.#incoming.resume()
    }
    return { done: false, value }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#incoming.pause().off('data', this.#onData)
    this.#chunks = []
    this.#at = 0
    this.#onEnd()
    return { done: true, value: undefined }
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= AHEAD_BYTES) this.#incoming.pause()
    this.#wake()
  }

  /** @param cause what broke the connection: the client went away, which is no failure of the server */
  readonly #onEnd = (cause?: Error): void => {
    this.#ended = true
    if (cause !== undefined) this.#failure ??= this.#broken(cause)
    this.#wake()
  }

  /** A connection that breaks while the body is read may say so by this alone. */
  readonly #onClose = (): void => {
    this.#onEnd(this.#ended || this.#incoming.complete ? undefined : new Error('the connection was closed'))
  }
}

/** Smaller ones cost less than the call. */
const FREED_FROM_BYTES = 4_096

/** Only memory that nothing else uses: the HTTP parser makes a buffer for each piece. */
function free({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= FREED_FROM_BYTES && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}
