/** At the start: whether the store keeps what the registry rests on. A step that is refused names the permission that it needs. */
import { type Ids, isSiltstoneError, type ObjectStore, SiltstoneError, unsupported } from 'siltstone/internal'

const bytes = (text: string) => new TextEncoder().encode(text)

/** @throws SiltstoneError `unsupported` (store-unsuitable), and the store's, with the step and its permission in the text */
export async function selfCheck(store: ObjectStore, ids: Ids): Promise<void> {
  const key = `registry/self-check/${ids.ulid()}`
  const hasPermissions = store.description.startsWith('s3://')
  const step = <T>(action: string, work: () => Promise<T>) => attempt(hasPermissions ? action : undefined, work)
  const broken = (what: string) =>
    unsupported('store-unsuitable', `${store.description} ${what}: use another store`, { key })
  const put = await step('s3:PutObject', () => store.put(key, bytes('1'), { ifAbsent: true }))
  if (put.status !== 'ok') throw broken('does not create an object that is absent')
  try {
    const again = await step('s3:PutObject', () => store.put(key, bytes('2'), { ifAbsent: true }))
    if (again.status !== 'exists') throw broken('overwrites an object that is to be created only if it is absent')
    const got = await step('s3:GetObject', () => store.get(key))
    if (got.status !== 'ok' || got.etag === undefined) throw broken('does not show an object that was just written')
    const over = await step('s3:PutObject', () => store.put(key, bytes('3'), { ifMatch: put.etag }))
    if (over.status !== 'ok') throw broken('does not replace the version that is named')
    const late = await step('s3:PutObject', () => store.put(key, bytes('4'), { ifMatch: put.etag }))
    if (late.status !== 'mismatch') throw broken('replaces another version than the one that is named')
    const page = await step('s3:ListBucket', () => store.list(key))
    if (!page.objects.some((each) => each.key === key)) throw broken('does not list an object that was just written')
  } finally {
    await step('s3:DeleteObject', async () => {
      const { failed } = await store.delete([key])
      if (failed[0] !== undefined) throw failed[0].error
    })
  }
}

async function attempt<T>(action: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    const { kind, code, message, key } = error
    const needs = action === undefined ? '' : `, which needs ${action}`
    const text = `the self-check of the registry's store failed${needs}: ${message}`
    throw new SiltstoneError(kind, code, text, { cause: error, ...(key !== undefined && { key }) })
  }
}
