/** The rules of the worker that was started last, so that others can tell what waits and what is not wanted. */
import type { ObjectStore } from 'siltstone/internal'
import { ProcessingRules } from './rules.ts'

/** No bucket has a name that begins with a dot. */
const KEY = 'objects/.rules.json'

export async function storeRules(store: ObjectStore, rules: ProcessingRules): Promise<void> {
  const got = await store.get(KEY)
  // A function starts often.
  if (got.status === 'ok' && Buffer.from(got.body).toString('utf8') === rules.text) return
  await store.put(KEY, Buffer.from(rules.text, 'utf8'), { contentType: 'application/json' })
}

/** @throws SiltstoneError `invalid` (bad-rules) */
export async function storedRules(store: ObjectStore): Promise<ProcessingRules> {
  const got = await store.get(KEY)
  return got.status === 'ok' ? ProcessingRules.parse(Buffer.from(got.body).toString('utf8')) : new ProcessingRules()
}
