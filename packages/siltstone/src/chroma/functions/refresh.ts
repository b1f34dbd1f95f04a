/**
 * Keeps the output of an attached function up to date: it is computed when it is read and the input has changed since.
 *
 * The first record of the output holds, as its URI, the version of the input that it was computed from. A refresh reads the
 * input's metadata page by page from one state, and changes the output only if nobody else has changed that record since;
 * otherwise another process has just refreshed it. One that computed from an older state loses or is repeated by the next
 * read, since the version then differs again. Where the output cannot be written, it is answered as it is.
 */
import { isSiltstoneError } from '../../errors.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import type { RecordOp } from '../../model/record.ts'
import type { Collection, Engine } from '../../model/store.ts'
import type { Logger } from '../../ports/telemetry.ts'
import { type AttachedFunction, attachedOf } from './attached-function.ts'
import { outputFunction, type OutputRecord } from './outputs.ts'

const PAGE = 4_096
const underway = new WeakMap<Engine, Map<string, Promise<void>>>()

/** Does nothing for a collection that is no output. @throws SiltstoneError `invalid` (too-many-values) */
export async function refreshOutput(engine: Engine, output: Collection, log: Logger): Promise<void> {
  const attached = attachedOf(output.info)
  if (!attached) return
  let refreshes = underway.get(engine)
  if (!refreshes) underway.set(engine, (refreshes = new Map()))
  const { id } = output.info
  let refresh = refreshes.get(id)
  if (!refresh) {
    refresh = refreshed(engine, output, attached, log).finally(() => refreshes.delete(id))
    refreshes.set(id, refresh)
  }
  await refresh
}

const MAY_FAIL = ['conflict', 'forbidden', 'unavailable', 'unsupported'] as const

async function refreshed(engine: Engine, output: Collection, attached: AttachedFunction, log: Logger): Promise<void> {
  const input = await inputOf(engine, output.info, attached)
  if (!input) return
  const readToken = await output.readToken()
  const { ids, uris } = await output.get({ limit: 1, include: { uris: true } })
  const [first] = ids
  const { version } = await input.get({ ids: [], include: {} })
  if (uris?.[0] === uriOf(version)) return
  const before = await output.get({ include: { metadatas: true } })
  const records = await computed(input, attached)
  const operations = changes(before.ids, before.metadatas ?? [], records.output, records.version)
  try {
    await output.commitIf({ readToken, readIds: first === undefined ? [] : [first], operations })
  } catch (error) {
    if (!MAY_FAIL.some((kind) => isSiltstoneError(error, kind))) throw error
    log.warn('function_output_not_refreshed', { collection: output.info.id, error: (error as Error).message })
  }
}

async function inputOf(
  engine: Engine,
  { tenant, database }: CollectionInfo,
  { inputCollectionId }: AttachedFunction,
): Promise<Collection | undefined> {
  try {
    return await engine.collection(tenant, database, inputCollectionId)
  } catch (error) {
    // The output of a deleted collection stays as it is.
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

async function computed(
  input: Collection,
  { functionName }: AttachedFunction,
): Promise<{ output: Map<string, OutputRecord>; version: number }> {
  const work = outputFunction(functionName)
  let pageToken: string | undefined
  let version = 0
  do {
    const page = await input.get({
      include: { metadatas: true },
      limit: PAGE,
      ...(pageToken !== undefined && { pageToken }),
    })
    for (const metadata of page.metadatas ?? []) work.observe(metadata)
    ;({ pageToken, version } = page)
  } while (pageToken !== undefined)
  return { output: work.output(), version }
}

function changes(
  ids: readonly string[],
  metadatas: readonly (string | null)[],
  output: ReadonlyMap<string, OutputRecord>,
  version: number,
): RecordOp[] {
  const known = new Map(ids.map((id, i) => [id, metadatas[i]]))
  const operations: RecordOp[] = []
  for (const [id, { document, metadata }] of output) {
    const isFirst = operations.length === 0
    if (!isFirst && known.get(id) === metadata) continue
    const uri = isFirst ? uriOf(version) : null
    // The clients' statistics have a vector of one zero.
    operations.push({ op: 'upsert', id, vector: new Float32Array(1), document, metadata, uri })
  }
  for (const id of ids)
    if (!output.has(id)) operations.push({ op: 'delete', id, vector: null, document: null, metadata: null, uri: null })
  return operations
}

function uriOf(version: number): string {
  return `siltstone:input-version/${version}`
}
