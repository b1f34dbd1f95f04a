import type { Collection, QueryHits } from 'siltstone/internal'
import { z } from 'zod'
import { badCursor, decodeCursor, encodeCursor, whole } from '../cursor.ts'
import { at, collectionName, filterFrom, where } from '../filter.ts'
import { pastOf } from '../past.ts'
import { embedOne, open } from '../scope.ts'
import { answer, clip, clipMetadata, metadataText, plainMetadata, quote } from '../text.ts'
import { defineTool } from '../tool.ts'
import { recordUri } from '../uri.ts'

/** Bytes of an answer for which no `snippet_chars` was asked, both channels together. */
const ANSWER_BYTES = 5_200
/** Per hit and channel: braces, keys, distance, the id and its URI aside. */
const HIT_OVERHEAD = 75
const METADATA_BYTES = 120
const DEFAULT_SNIPPET = 300
const MAX_OFFSET = 1_000

export const searchTool = defineTool({
  name: 'search',
  title: 'Search by meaning',
  description:
    'Finds the records nearest in meaning to a question or sentence, nearest first. Smaller distance is nearer. Snippets may be cut: `get` reads the whole.',
  input: z.object({
    collection: collectionName,
    query: z.string().min(1).max(20_000),
    where: where.optional(),
    limit: z.number().int().min(1).max(50).default(8),
    max_distance: z.number().optional().describe('Leave out what is farther'),
    snippet_chars: z.number().int().min(0).max(2_000).optional().describe('Default: up to 300, as fits'),
    at: at.optional(),
    cursor: z.string().optional(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(scope, args) {
    const collection = await open(scope, args.collection)
    const page = await positionOf(collection, args)
    const { offset } = page
    const vector = await embedOne(scope, collection, args.query)
    const filter = filterFrom(args.where)
    const { hits, version } = await collection.query({
      vectors: [vector],
      k: offset + args.limit + 1,
      ...(filter && { filter }),
      ...(page.at !== undefined && { at: page.at }),
      include: { documents: true, metadatas: true, uris: true },
    })
    const found = hits[0] as QueryHits
    const near = found.distances.filter(
      (distance) => distance <= (args.max_distance ?? Number.POSITIVE_INFINITY),
    ).length
    const end = Math.min(near, offset + args.limit)
    const snippet = args.snippet_chars ?? snippetFor(found, offset, end)
    const shown = []
    for (let i = offset; i < end; i++) shown.push(hitOf(args.collection, found, i, snippet))
    const next = near > end && end < MAX_OFFSET ? encodeCursor({ o: end, v: version }) : undefined
    const note = noteOf(found, near, args, page)
    return answer(
      { hits: shown, version, ...(next !== undefined && { next_cursor: next }), ...(note !== undefined && { note }) },
      [
        ...shown.map(lineOf(offset)),
        note,
        `version ${version}`,
        next === undefined ? undefined : `next: cursor ${next}`,
      ],
    )
  },
})

interface Position {
  offset: number
  at?: number
  note?: string
}

/** A later page is of the state of the first one. */
async function positionOf(
  collection: Collection,
  { cursor, at: asked }: { cursor?: string | undefined; at?: string | number | undefined },
): Promise<Position> {
  if (cursor === undefined) return { offset: 0, ...(await pastOf(collection, asked)) }
  const position = decodeCursor(cursor)
  const offset = whole(position, 'o')
  if (offset > MAX_OFFSET) throw badCursor()
  return { offset, at: whole(position, 'v') }
}

function snippetFor({ ids }: QueryHits, offset: number, end: number): number {
  const hits = Math.max(1, end - offset)
  const named = ids.slice(offset, end).reduce((sum, id) => sum + 3 * id.length, 0) / hits
  const left = ANSWER_BYTES / hits / 2 - HIT_OVERHEAD - METADATA_BYTES - named / 2
  return Math.max(60, Math.min(DEFAULT_SNIPPET, Math.floor(left)))
}

function hitOf(
  collection: string,
  { ids, distances, documents, metadatas, uris }: QueryHits,
  i: number,
  chars: number,
) {
  const id = ids[i] as string
  const { text, truncated } = clip(documents?.[i] ?? '', chars)
  const { metadata, truncated: fewer } = clipMetadata(plainMetadata(metadatas?.[i] ?? null), METADATA_BYTES)
  const uri = uris?.[i] ?? null
  return {
    id,
    distance: Number((distances[i] as number).toFixed(4)),
    snippet: text,
    ...(truncated && { truncated }),
    ...(metadata !== null && { metadata }),
    ...(fewer && { metadata_truncated: true }),
    ...(uri !== null && { uri }),
    resource: recordUri(collection, id),
  }
}

function lineOf(offset: number) {
  return (hit: ReturnType<typeof hitOf>, i: number): string =>
    `${offset + i + 1}. [${hit.id}] (${hit.distance}) ${quote(hit.snippet)}${hit.truncated === true ? '…' : ''}` +
    `${metadataText(hit.metadata ?? null)}${hit.metadata_truncated === true ? '…' : ''}${hit.uri === undefined ? '' : ` <${hit.uri}>`}`
}

function noteOf(
  { distances, ids }: QueryHits,
  near: number,
  { max_distance: limit, where: filter }: { max_distance?: number | undefined; where?: unknown },
  { note, offset }: Position,
): string | undefined {
  const [nearest] = distances
  const notes = note === undefined ? [] : [note]
  if (ids.length === 0)
    notes.push(filter === undefined ? 'the collection has no records with vectors' : 'no record matches the filter')
  else if (near === 0 && limit !== undefined)
    notes.push(`nothing within ${limit}; the nearest is at ${(nearest as number).toFixed(4)}`)
  else if (offset >= near) notes.push('no more hits')
  return notes.length === 0 ? undefined : notes.join('; ')
}
