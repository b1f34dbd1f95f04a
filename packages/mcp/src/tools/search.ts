import { type Collection, HYBRID_LIST } from 'siltstone/internal'
import { z } from 'zod'
import { badCursor, decodeCursor, encodeCursor, whole } from '../cursor.ts'
import { at, collectionName, filterFrom, where } from '../filter.ts'
import { pastOf } from '../past.ts'
import { rank, type Ranked, type RankedHit } from '../ranking.ts'
import { open } from '../scope.ts'
import { answer, clip, type Clipped, clipMetadata, metadataText, plainMetadata, quote } from '../text.ts'
import { defineTool } from '../tool.ts'
import { recordUri } from '../uri.ts'

/** Bytes of an answer for which no `snippet_chars` was asked, both channels together. */
const ANSWER_BYTES = 5_900
/** How much of a hit is shown, at most: characters of its document and bytes of its metadata. The first that fits is taken. */
const MOST_SNIPPET = 300
const SIZES = [MOST_SNIPPET, 250, 210, 180, 150, 130, 110, 90, 75, 60].map(
  (snippet): HitSize => ({ snippet, metadata: 120 }),
)
const LEAST_SIZE: HitSize = { snippet: 60, metadata: 40 }
/** Of the words of a query that are shown with a hit, together. */
const WORDS_CHARS = 40
/** What the two searches find at most. */
const MAX_OFFSET = 2 * HYBRID_LIST

export const searchTool = defineTool({
  name: 'search',
  title: 'Search by meaning and words',
  description:
    'Finds the records nearest in meaning to a question, and those with its words, in one ranking. Smaller score is better, smaller distance nearer in meaning; `words` are those of the query in the record. A snippet may be the part with the words: `get` reads the whole.',
  input: z.object({
    collection: collectionName,
    query: z.string().min(1).max(20_000),
    where: where.optional(),
    limit: z.number().int().min(1).max(50).default(8),
    max_distance: z.number().optional().describe('Leave out what is farther in meaning'),
    snippet_chars: z.number().int().min(0).max(2_000).optional().describe('Default: up to 300, as fits'),
    at: at.optional(),
    cursor: z.string().optional(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(scope, args) {
    const collection = await open(scope, args.collection)
    const page = await positionOf(collection, args)
    const { offset } = page
    const found = await rank(scope, collection, {
      query: args.query,
      filter: filterFrom(args.where),
      offset,
      limit: args.limit,
      maxDistance: args.max_distance,
      passageChars: args.snippet_chars ?? MOST_SNIPPET,
      at: page.at,
    })
    const { version, by, hits } = found
    const end = offset + hits.length
    const next = found.hasMore && end < MAX_OFFSET ? encodeCursor({ o: end, v: version }) : undefined
    const note = noteOf(found, args, page)
    const answerOf = (size: HitSize) => {
      const shown = hits.map((hit) => hitOf(args.collection, hit, size))
      return answer(
        {
          hits: shown,
          ranked_by: by,
          version,
          ...(next !== undefined && { next_cursor: next }),
          ...(note !== undefined && { note }),
        },
        [
          ...shown.map(lineOf(offset)),
          note,
          `version ${version}, ranked by ${by}`,
          next === undefined ? undefined : `next: cursor ${next}`,
        ],
      )
    }
    const { snippet_chars: snippet } = args
    if (snippet !== undefined) return answerOf({ snippet, metadata: 120 })
    for (const size of SIZES) {
      const one = answerOf(size)
      if (Buffer.byteLength(JSON.stringify(one)) <= ANSWER_BYTES) return one
    }
    return answerOf(LEAST_SIZE)
  },
})

interface HitSize {
  snippet: number
  metadata: number
}

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

/** Those that fit; at least the beginning of the first one. */
function firstWords(words: readonly string[]): string[] {
  let left = WORDS_CHARS
  return words
    .filter((word, i) => {
      left -= word.length
      return i === 0 || left >= 0
    })
    .map((word) => clip(word, WORDS_CHARS).text)
}

/** The beginning of a document, or the part with the words where it is longer. */
function snippetOf(document: string, passage: readonly string[] | undefined, chars: number): Clipped {
  const whole = clip(document, chars)
  if (!whole.truncated || passage === undefined) return whole
  const text = passage.join('')
  const before = passage[0]?.length ?? 0
  // A part of the room is for what stands before the first of the words.
  const earliest = Math.max(0, Math.min(before - Math.floor(chars / 4), text.length - chars))
  const space = earliest === 0 ? -1 : text.indexOf(' ', earliest)
  const start = space >= 0 && space < before ? space + 1 : earliest === 0 ? 0 : Math.min(before, text.length)
  return { text: clip(text.slice(start), chars).text, truncated: true }
}

function hitOf(
  collection: string,
  { id, score, distance, words, document, passage, metadata: stored, uri }: RankedHit,
  size: HitSize,
) {
  const { text, truncated } = snippetOf(document ?? '', passage, size.snippet)
  const { metadata, truncated: fewer } = clipMetadata(plainMetadata(stored), size.metadata)
  return {
    id,
    score: rounded(score),
    ...(distance !== undefined && { distance: rounded(distance) }),
    ...(words.length > 0 && { words: firstWords(words) }),
    snippet: text,
    ...(truncated && { truncated }),
    ...(metadata !== null && { metadata }),
    ...(fewer && { metadata_truncated: true }),
    ...(uri !== null && { uri }),
    resource: recordUri(collection, id),
  }
}

function rounded(number: number): number {
  return Number(number.toFixed(4))
}

function lineOf(offset: number) {
  return (hit: ReturnType<typeof hitOf>, i: number): string =>
    `${offset + i + 1}. [${hit.id}] (${reasonsOf(hit)}) ${quote(hit.snippet)}${hit.truncated === true ? '…' : ''}` +
    `${metadataText(hit.metadata ?? null)}${hit.metadata_truncated === true ? '…' : ''}${hit.uri === undefined ? '' : ` <${hit.uri}>`}`
}

function reasonsOf({ score, distance, words }: ReturnType<typeof hitOf>): string {
  return [
    `score ${score}`,
    ...(distance === undefined ? [] : [`distance ${distance}`]),
    ...(words === undefined ? [] : [`words ${words.map(quote).join(' ')}`]),
  ].join(', ')
}

function noteOf(
  { hits, by, note: ofRanking }: Ranked,
  { where: filter }: { where?: unknown },
  { note, offset }: Position,
): string | undefined {
  const notes = [note, ofRanking].filter((one) => one !== undefined)
  if (hits.length === 0 && ofRanking === undefined) {
    if (offset > 0) notes.push('no more hits')
    else if (by === 'words') notes.push('no record has any of these words')
    else
      notes.push(filter === undefined ? 'the collection has no records with vectors' : 'no record matches the filter')
  }
  return notes.length === 0 ? undefined : notes.join('; ')
}
