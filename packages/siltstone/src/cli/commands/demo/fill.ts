/** Turns passages into a published snapshot, with a producer, a writer and the compactor. */
import type { Embedder } from '../../../embed/port.ts'
import { pathOf } from '../../../engine/engine.ts'
import type { CollectionInfo } from '../../../model/collection.ts'
import { directoryLimits } from '../../../log/log-limits.ts'
import { produce } from '../../../log/produce.ts'
import { metadataFromJson, type RecordOp } from '../../../records/index.ts'
import { bytes, count, plural } from '../../format.ts'
import type { Session } from '../../session.ts'
import type { Passage } from '../../../ingest/index.ts'
import type { Steps } from './steps.ts'

const EMBED_BATCH = 256
const DELTA_RECORDS = 250
/** One passage in ten is written through the log, as a server does. */
const LOG_SHARE = 0.1

export async function embedAll(steps: Steps, embedder: Embedder, passages: readonly Passage[]): Promise<RecordOp[]> {
  const records: RecordOp[] = []
  await steps.run('embed', async (progress) => {
    for (let i = 0; i < passages.length; i += EMBED_BATCH) {
      const batch = passages.slice(i, i + EMBED_BATCH)
      // The heading often tells the topic better than the passage's own words.
      const vectors = await embedder.embed(batch.map(({ heading, text }) => `${heading}\n${text}`))
      batch.forEach((passage, k) => records.push(recordOf(passage, vectors[k] as Float32Array)))
      await progress(`${count(records.length)} of ${count(passages.length)}`)
    }
    return `${plural(records.length, 'passage')} by meaning, offline: ${embedder.model}, ${embedder.dimension} dimensions`
  })
  return records
}

function recordOf({ id, text, source, packageName, heading, position }: Passage, vector: Float32Array): RecordOp {
  const metadata = { source, heading, position, ...(packageName !== undefined && { package: packageName }) }
  return {
    op: 'upsert',
    id,
    vector,
    document: text,
    metadata: metadataFromJson(metadata, 'metadata', 'patch', 'plain'),
    uri: null,
  }
}

export async function writeAll(
  steps: Steps,
  session: Session,
  info: CollectionInfo,
  records: readonly RecordOp[],
): Promise<void> {
  const dropped = records.slice(0, Math.ceil(records.length * (1 - LOG_SHARE)))
  await steps.run('produce', async (progress) => {
    let deltas = 0
    let sizeBytes = 0
    for (let i = 0; i < dropped.length; i += DELTA_RECORDS) {
      const batch = dropped.slice(i, i + DELTA_RECORDS)
      const produced = await produce(
        session.env,
        pathOf(info),
        { records: batch },
        { maxBytes: directoryLimits.deltaBytes },
      )
      deltas++
      sizeBytes += produced.sizeBytes
      await progress(plural(deltas, 'delta'))
    }
    return `${plural(dropped.length, 'record')} as ${plural(deltas, 'delta')} in the inbox, ${bytes(sizeBytes)}`
  })
  await steps.run('write', async () => {
    const collection = await session.engine.collection(info.tenant, info.database, info.id)
    const rest = records.slice(dropped.length)
    const { version } = await collection.write(rest)
    return `${plural(rest.length, 'record')} through the log, which also sequences the deltas: version ${version}`
  })
  await steps.run('compact', async () => {
    const outcome = await session.engine.compact(pathOf(info))
    const collection = await session.engine.collection(info.tenant, info.database, info.id)
    const snapshot = (await collection.snapshots()).find(({ current }) => current)
    return (
      `snapshot ${snapshot?.name ?? '?'} of ${plural(snapshot?.liveRecords ?? 0, 'record')}` +
      ` in ${plural(snapshot?.segments ?? 0, 'segment')}, ${bytes(outcome.bytesWritten)} written`
    )
  })
}
