/**
 * The body of an answer. A small text is sent whole; of a larger one, each part is made when the one before was taken, with
 * a pause in between, so that neither the time nor the memory of a large answer is spent at once.
 */
import type { Pause } from '../../pacer.ts'

/** Characters that are made between two pauses. */
export const PART_CHARACTERS = 256 * 1024

export function answerBody(
  text: string | Iterable<string>,
  pause: Pause,
  partCharacters = PART_CHARACTERS,
): string | ReadableStream<Uint8Array> {
  if (typeof text === 'string') return text
  const pieces = text[Symbol.iterator]()
  const first = partOf(pieces, partCharacters)
  if (first.length < partCharacters) return first
  const encoder = new TextEncoder()
  let next = first
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        controller.enqueue(encoder.encode(next))
        await pause()
        next = partOf(pieces, partCharacters)
        if (next === '') controller.close()
      },
    },
    { highWaterMark: 1 },
  )
}

/** The next pieces, at least `characters` of them unless the text ends. */
function partOf(pieces: Iterator<string>, characters: number): string {
  let part = ''
  while (part.length < characters) {
    const { done, value } = pieces.next()
    if (done === true) return part
    part += value
  }
  return part
}
