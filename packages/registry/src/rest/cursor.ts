/** The `offset` of the contract: an opaque cursor of ours, or a row number of clients that count. */
import { invalid, type SiltstoneError } from 'siltstone/internal'
import { isUlid } from '../store/keys.ts'
import type { ArtifactPage } from '../search/entry.ts'

export const PAGE = 100
const MAX_PAGE = 1_000

/** What an offset may be, also in the OpenAPI document: nothing, a row number up to 10,000, or an id. */
export const OFFSET = '^(?:[0-9]{1,4}|10000|[0-7][0-9A-HJKMNP-TV-Z]{25})?$'
const OFFSET_PATTERN = new RegExp(OFFSET)

/** More than 1,000 count as 1,000. @throws SiltstoneError `invalid` (bad-limit) */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null) return PAGE
  if (/^[1-9]\d*$/.test(text)) return Math.min(MAX_PAGE, Number(text))
  throw invalid('bad-limit', `"${text.slice(0, 50)}" is no limit: give 1 to ${MAX_PAGE}`, { field: 'limit' })
}

/** @returns the page and the value of the header `offset`; empty: it was the last page */
export async function paged(
  query: URLSearchParams,
  limit: number,
  list: (limit: number, after?: string) => Promise<ArtifactPage>,
): Promise<{ page: ArtifactPage; offset: string }> {
  const text = query.get('offset') ?? ''
  if (!OFFSET_PATTERN.test(text)) throw badOffset(text)
  if (isUlid(text)) return withOffset(await list(limit, text))
  if (text === '') return withOffset(await list(limit))
  const { artifacts, next } = await list(Number(text) + limit)
  return withOffset({ artifacts: artifacts.slice(Number(text)), next })
}

const withOffset = (page: ArtifactPage) => ({ page, offset: page.next ?? '' })

const badOffset = (text: string): SiltstoneError =>
  invalid('bad-offset', `"${text.slice(0, 50)}" is no offset: send the one of the last answer's header`, {
    field: 'offset',
  })
