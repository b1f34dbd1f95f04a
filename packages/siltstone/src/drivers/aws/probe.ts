/**
 * Tests whether a store honours conditions. A store that ignores them looks like any other until two writers compete;
 * then writes are lost.
 */
import { isSiltstoneError, type SiltstoneError, unavailable } from '../../errors.ts'
import type { ObjectStore, PutOptions, PutResult } from '../../ports/object-store.ts'

/** What is wrong with the store's conditional puts, as a sentence; undefined if they work. */
export type Problem = string | undefined

const body = (text: string) => Buffer.from(text)

/**
 * Four puts in sequence, and a deletion. A put whose answer was lost proves nothing, so the probe then begins again under
 * another key.
 * @param newKey returns keys that are not in use
 * @throws SiltstoneError as the puts do; `unavailable` (probe-unclear) when the answers stay unclear
 */
export async function probeConditions(store: ObjectStore, newKey: () => string, attempts = 5): Promise<Problem> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await probeOnce(store, newKey())
    } catch (cause) {
      if (!isSiltstoneError(cause, 'unknown')) throw cause
      if (attempt >= attempts) throw unclear(store, attempts, cause)
    }
  }
}

function unclear(store: ObjectStore, attempts: number, cause: SiltstoneError): SiltstoneError {
  return unavailable(
    'probe-unclear',
    `${store.description} cannot be reached reliably: ${attempts} times, the answer to a conditional put was lost. ${cause.message}`,
    { cause },
  )
}

async function probeOnce(store: ObjectStore, key: string): Promise<Problem> {
  try {
    const first = await store.put(key, body('first'), { ifAbsent: true })
    if (first.status !== 'ok') return `If-None-Match: * on a new object was answered ${first.status}.`
    const second = await store.put(key, body('second'), { ifAbsent: true })
    if (second.status !== 'exists') return `If-None-Match: * on an existing object was answered ${second.status}.`
    const third = await store.put(key, body('third'), { ifMatch: first.etag })
    if (third.status !== 'ok') return `If-Match with the object’s own ETag was answered ${third.status}.`
    const fourth = await store.put(key, body('fourth'), { ifMatch: first.etag })
    if (fourth.status !== 'mismatch') return `If-Match with an old ETag was answered ${fourth.status}.`
    return undefined
  } catch (error) {
    // Backblaze B2 answers 501 to the headers themselves.
    if (isSiltstoneError(error) && error.code === 'not-implemented') return error.message
    throw error
  } finally {
    await removed(store, key)
  }
}

/** What is left of a probe harms nothing, and is in the folder that the garbage collector empties. */
async function removed(store: ObjectStore, key: string): Promise<void> {
  try {
    await store.delete([key])
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
  }
}

/** Lets many writers compete, of which one may win, several times. @param key a key that is not in use */
export async function probeRaces(
  store: ObjectStore,
  key: string,
  { writers = 16, rounds = 3 }: { writers?: number; rounds?: number } = {},
): Promise<Problem> {
  const race = async (options: PutOptions): Promise<PutResult & { status: 'ok' }> => {
    const results = await Promise.all(
      Array.from({ length: writers }, (_, at) => store.put(key, body(`${at} ${JSON.stringify(options)}`), options)),
    )
    const winners = results.filter((result) => result.status === 'ok')
    if (winners.length !== 1) throw new NotAtomic(`${winners.length} of ${writers} writers won a race`)
    return winners[0] as PutResult & { status: 'ok' }
  }
  try {
    for (let round = 0; round < rounds; round++) {
      const { etag } = await race({ ifAbsent: true })
      await race({ ifMatch: etag })
      await store.delete([key])
    }
    return undefined
  } catch (error) {
    if (!(error instanceof NotAtomic)) throw error
    return `Conditions are not atomic: ${error.message}.`
  } finally {
    await store.delete([key])
  }
}

class NotAtomic extends Error {}
