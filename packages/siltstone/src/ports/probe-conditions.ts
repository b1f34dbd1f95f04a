/**
 * Tests whether a store honours conditions. A store that ignores them looks like any other until two writers compete;
 * then writes are lost.
 *
 * Answers can be lost, and a layer below may have repeated a request, so that the answer is that of the second try. What
 * each answer shows:
 *
 * | the store                                         | then                                              |
 * |---------------------------------------------------|---------------------------------------------------|
 * | accepts a put whose condition does not hold       | it ignores conditions: no fault makes it do so    |
 * | refuses a put whose condition holds               | the first try may be the reason: the object then has its body. Otherwise again, another key; a store that does so each time does not work |
 * | gives no clear answer                             | again, another key                                |
 */
import { isSiltstoneError, type SiltstoneError, unavailable } from '../errors.ts'
import type { ObjectStore, PutOptions, PutResult } from './object-store.ts'

/** What is wrong with the store's conditional puts, as a sentence; undefined if they work. */
export type Problem = string | undefined

const body = (text: string) => new TextEncoder().encode(text)

/**
 * Four puts in sequence, and a deletion.
 * @param newKey returns keys that are not in use
 * @throws SiltstoneError as the puts do; `unavailable` (probe-unclear) when the answers stay unclear
 */
export async function probeConditions(store: ObjectStore, newKey: () => string, attempts = 5): Promise<Problem> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { problem, mayBeOurs } = await probeOnce(store, newKey())
      // step: refusal-is-probed-again
      if (problem === undefined || !mayBeOurs || attempt >= attempts) return problem
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

interface Probed {
  problem: Problem
  /** A put was refused, perhaps because of its own first try. */
  mayBeOurs: boolean
}

async function probeOnce(store: ObjectStore, key: string): Promise<Probed> {
  const refused = (problem: string): Probed => ({ problem, mayBeOurs: true })
  const accepted = (problem: string): Probed => ({ problem, mayBeOurs: false })
  try {
    const first = await putOnce(store, key, 'first', { ifAbsent: true })
    if (first.status !== 'ok') return refused(`If-None-Match: * on a new object was answered ${first.status}.`)
    const second = await store.put(key, body('second'), { ifAbsent: true })
    if (second.status !== 'exists')
      return accepted(`If-None-Match: * on an existing object was answered ${second.status}.`)
    const third = await putOnce(store, key, 'third', { ifMatch: first.etag })
    if (third.status !== 'ok') return refused(`If-Match with the object’s own ETag was answered ${third.status}.`)
    const fourth = await store.put(key, body('fourth'), { ifMatch: first.etag })
    if (fourth.status !== 'mismatch') return accepted(`If-Match with an old ETag was answered ${fourth.status}.`)
    return { problem: undefined, mayBeOurs: false }
  } catch (error) {
    // Backblaze B2 answers 501 to the headers themselves.
    if (isSiltstoneError(error) && error.code === 'not-implemented') return accepted(error.message)
    throw error
  } finally {
    await removed(store, key)
  }
}

/** A put whose condition holds. When it is refused because a layer below repeated it, the object says that it was applied. */
async function putOnce(store: ObjectStore, key: string, text: string, options: PutOptions): Promise<PutResult> {
  const result = await store.put(key, body(text), options)
  if (result.status === 'ok') return result
  const now = await store.get(key)
  const isOurs = now.status === 'ok' && now.etag !== undefined && new TextDecoder().decode(now.body) === text
  // step: own-put-is-recognised
  if (isOurs) return { status: 'ok', etag: now.etag as string }
  return result
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
