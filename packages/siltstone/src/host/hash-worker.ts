/** A thread that hashes bodies, any number of them at the same time. */
import { BodyHash } from './blob-checksum.ts'
import type { FromHashThread, ToHashThread } from './hash-messages.ts'
import { connectToParent } from './worker.ts'

const bodies = new Map<number, BodyHash>()
const parent = connectToParent<undefined, FromHashThread>((received) => {
  const message = received as ToHashThread
  const { body } = message
  if (message.kind === 'open') bodies.set(body, new BodyHash(message.wanted))
  else if (message.kind === 'close') bodies.delete(body)
  else if (message.kind === 'update') {
    bodies.get(body)?.update(new Uint8Array(message.block, 0, message.length))
    parent.post({ body })
  } else {
    const hashes = bodies.get(body)?.digest()
    bodies.delete(body)
    parent.post({ body, ...(hashes && { hashes }) })
  }
})
