/**
 * Publishes a collection as a folder of files that any static host serves, and that `@siltstone/reader` searches. The layout is
 * told in `format/published.ts` and docs/decisions/0016-published-folders.md.
 *
 * A folder that was published before is continued: the files of the last whole publication stay, and the records that changed
 * since are written beside them (`segments.ts`), until there are too many of them.
 *
 * The parts are written first, then `search.json`. Files that it does not name are removed later, when no page that was opened
 * before can need them (`retired-files.ts`): a reader that has the old `search.json` finds its parts, or finds them missing and
 * reads the new one. A publication that breaks off leaves the old state and some parts, which are removed in the same way. The
 * content decides the names, so what did not change is not written.
 */
import { equalBytes } from '#codec'
import { EnglishEmbedder } from '../embed/english/embedder.ts'
import { conflict, isSiltstoneError } from '../errors.ts'
import {
  decodePublished,
  encodePublished,
  filesOf,
  type InlineRange,
  isPublished,
  PUBLISHED_FILE,
  type Published,
  type PublishedEmbedder,
} from '../format/published.ts'
import type { Collection } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import type { ModelHost } from '../ports/model-host.ts'
import { writePageFiles } from './page-files.ts'
import { DATA, PartWriter } from './part-writer.ts'
import { englishEmbedder, isEnglish } from './publish-embedder.ts'
import type { PublishTarget } from './publish-target.ts'
import { retire } from './retired-files.ts'
import { writeSegments } from './segments.ts'

export interface PublishRequest {
  collection: Collection
  /** A store of its own for the time of the publication; its content is not needed afterwards. */
  staging: Environment
  target: PublishTarget
  models: Pick<ModelHost, 'readPackageFiles'>
  /** Write the search box and the functions of `pagefind.js` too, where the package is installed. Default false. */
  modules?: boolean
  /** Publish everything again, not only what changed. Default false. */
  isWhole?: boolean
  /** How long files stay that are no longer used. Default an hour. */
  keepMs?: number
  signal?: AbortSignal
}

export interface PublishReport {
  /** Of the collection. */
  version: number
  records: number
  /** Of these, as many are new or changed since the last whole publication, or were written by a whole one. */
  recordsWritten: number
  /** Files of the folder that belong to the publication, without the modules, and their bytes. */
  files: number
  sizeBytes: number
  /** Files that were not there before as they are, and their bytes. */
  written: number
  writtenBytes: number
  removed: number
  /** Whether texts are embedded in the page. */
  embedder: boolean
  /** null: they were not asked for, or the package is not installed. */
  modules: string[] | null
}

export const KEEP_MS = 3_600_000

/** @throws SiltstoneError of the collection's reads, and the target's errors */
export async function publish(request: PublishRequest): Promise<PublishReport> {
  const { collection, staging, target, models, signal = new AbortController().signal } = request
  const { isWhole = false, keepMs = KEEP_MS } = request
  const state = await collection.state()
  const { name, space, metadata, configuration, schema } = collection.info
  const old = await replaceable(target)
  const before = old && decodedOrNone(old)
  const parts = new PartWriter(target, await target.list(DATA))
  const embeds = isEnglish(configuration, state.dimension)
  const english = embeds ? new EnglishEmbedder({ models }) : undefined
  const embed = english && ((texts: readonly string[]) => english.embed(texts))
  const segmentsRequest = { collection, state, staging, target, parts, before, isWhole, embed, signal }
  const { segments, digests, recall, recordsWritten } = await writeSegments(segmentsRequest)
  const written = embeds ? await writeEmbedder(models, parts) : undefined
  const { embedder = null, inline = [] } = written ?? {}
  // Before search.json: modules read older folders, not newer ones.
  const modules = request.modules === true ? await writePageFiles(target) : undefined
  const { version, records } = state
  const files = [...filesOf({ segments, embedder }), ...(digests ? [digests] : [])]
  // In the order of the files, so that equal publications are equal bytes.
  const partBytes = Object.fromEntries(files.map(({ key }) => [key, parts.partBytes[key] as number]))
  const described = { name, space, metadata, configuration, schema, version }
  const published = { ...described, segments, embedder, digests, inline, recall, partBytes }
  // Fields in the order in which they are read, for the same reason.
  const description = encodePublished(decodePublished(encodePublished(published)))
  const isNew = !old || !equalBytes(old, description)
  signal.throwIfAborted()
  if (isNew) await target.write(PUBLISHED_FILE, description)
  const unused = [...parts.unused(), ...(modules?.unused ?? [])]
  const removed = await retire(target, unused, { nowMs: staging.clock.nowMs(), keepMs })
  return {
    version,
    records,
    recordsWritten,
    files: parts.files + 1,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, description.length),
    written: parts.written + (modules?.written ?? 0) + (isNew ? 1 : 0),
    writtenBytes: parts.writtenBytes + (modules?.writtenBytes ?? 0) + (isNew ? description.length : 0),
    removed,
    embedder: embedder !== null,
    modules: modules?.names ?? null,
  }
}

/** @returns search.json of an earlier publication @throws SiltstoneError `conflict` (foreign-file) */
async function replaceable(target: PublishTarget): Promise<Uint8Array | undefined> {
  const old = await target.read(PUBLISHED_FILE)
  if (old === undefined || isPublished(old)) return old
  throw conflict(
    'foreign-file',
    `${PUBLISHED_FILE} is there and is no publication of Siltstone; publish into another directory, or remove it`,
    { key: PUBLISHED_FILE },
  )
}

/** A publication that is damaged, or of another version, is replaced as a whole. */
function decodedOrNone(bytes: Uint8Array): Published | undefined {
  try {
    return decodePublished(bytes)
  } catch (error) {
    if (isSiltstoneError(error, 'corrupt') || isSiltstoneError(error, 'unsupported')) return undefined
    throw error
  }
}

async function writeEmbedder(
  models: PublishRequest['models'],
  parts: PartWriter,
): Promise<{ embedder: PublishedEmbedder; inline: InlineRange[] }> {
  const files = await englishEmbedder(models)
  const vocabulary = await parts.write(files.vocabulary)
  const rows = await parts.write(files.rows)
  return { embedder: files.describe({ vocabulary, rows }), inline: [files.inline(vocabulary)] }
}
