import type { GetResponse } from 'siltstone/internal'
import { invalid } from 'siltstone/internal'
import { z } from 'zod'
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { at, collectionName, filterFrom, where } from '../filter.ts'
import { pastOf } from '../past.ts'
import { open } from '../scope.ts'
import { answer, clip, metadataText, plainMetadata, quote } from '../text.ts'
import { defineTool } from '../tool.ts'

export const getTool = defineTool({
  name: 'get',
  title: 'Read records',
  description:
    'Reads records by id or filter, or all in order of insertion. Long documents: raise max_chars or continue with offset_chars.',
  input: z.object({
    collection: collectionName,
    ids: z.array(z.string().min(1)).min(1).max(100).optional(),
    where: where.optional(),
    limit: z.number().int().min(1).max(100).default(10),
    cursor: z.string().optional(),
    offset_chars: z.number().int().min(0).default(0).describe('Skip this much of each document'),
    max_chars: z.number().int().min(100).max(100_000).default(8_000).describe('Of all documents together'),
    at: at.optional(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(scope, { collection: name, ids, where: json, limit, cursor, offset_chars, max_chars, at: asked }) {
    if (ids !== undefined && json !== undefined)
      throw invalid('ids-and-where', 'Give ids or where, not both.', { field: 'ids' })
    const collection = await open(scope, name)
    const past = cursor === undefined ? await pastOf(collection, asked) : {}
    const filter = filterFrom(json)
    const page = await collection.get({
      ...(ids && { ids }),
      ...(filter && { filter }),
      ...(past.at !== undefined && { at: past.at }),
      ...(cursor !== undefined && { pageToken: tokenOf(cursor) }),
      limit: ids === undefined ? limit : Math.max(limit, ids.length),
      include: { documents: true, metadatas: true, uris: true },
    })
    const records = recordsOf(page, offset_chars, max_chars)
    const found = new Set(page.ids)
    const missing = (ids ?? []).filter((id) => !found.has(id))
    const next = page.pageToken === undefined ? undefined : encodeCursor({ p: page.pageToken })
    const structured = {
      records,
      version: page.version,
      ...(missing.length > 0 && { missing }),
      ...(next !== undefined && { next_cursor: next }),
      ...(past.note !== undefined && { note: past.note }),
    }
    return answer(structured, [
      ...records.map(
        ({ id, document, truncated, metadata, uri }, i) =>
          `${i + 1}. [${id}] ${document === null ? '(no document)' : quote(document)}${truncated === true ? '…' : ''}` +
          `${metadataText(metadata ?? null)}${uri === undefined ? '' : ` <${uri}>`}`,
      ),
      records.length === 0 ? 'no records' : undefined,
      missing.length === 0 ? undefined : `missing: ${JSON.stringify(missing)}`,
      past.note,
      `version ${page.version}`,
      next === undefined ? undefined : `next: cursor ${next}`,
    ])
  },
})

function tokenOf(cursor: string): string {
  const { p: token } = decodeCursor(cursor)
  if (typeof token !== 'string') throw badCursor()
  return token
}

function recordsOf({ ids, documents, metadatas, uris }: GetResponse, offset: number, maxChars: number) {
  let left = maxChars
  return ids.map((id, i) => {
    const whole = documents?.[i] ?? null
    const { text, truncated } = clip((whole ?? '').slice(offset), left)
    left = Math.max(0, left - text.length)
    const metadata = plainMetadata(metadatas?.[i] ?? null)
    const uri = uris?.[i] ?? null
    return {
      id,
      document: whole === null ? null : text,
      ...(truncated && { truncated, document_chars: whole?.length ?? 0 }),
      ...(metadata !== null && { metadata }),
      ...(uri !== null && { uri }),
    }
  })
}
