/** The `offset` of the contract: an opaque cursor of ours, or a row number of clients that count. */
import { invalid, type SiltstoneError } from 'siltstone/internal'
import { isUlid } from '../store/keys.ts'
import type { ArtifactPage } from '../search/entry.ts'

export const PAGE = 100
const MAX_PAGE = 1_000
const MAX_ROW = 10_000

/** @throws SiltstoneError `invalid` (too-many-results, bad-limit) */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null) return PAGE
  const limit = Number(text)
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw invalid('bad-limit', `"${text.slice(0, 50)}" is no limit: give 1 to ${MAX_PAGE}`, { field: 'limit' })
  }
  if (limit > MAX_PAGE)
    throw invalid('too-many-results', `a page has at most ${MAX_PAGE} artifacts`, { field: 'limit' })
  return limit
}

/** @returns the page and the value of the header `offset`; empty: it was the last page */
export async function paged(
  query: URLSearchParams,
  limit: number,
  list: (limit: number, after?: string) => Promise<ArtifactPage>,
): Promise<{ page: ArtifactPage; offset: string }> {
  const text = query.get('offset') ?? ''
  if (isUlid(text)) return withOffset(await list(limit, text))
  if (text === '') return withOffset(await list(limit))
  if (!/^\d{1,5}$/.test(text) || Number(text) > MAX_ROW) throw badOffset(text)
  const { artifacts, next } = await list(Number(text) + limit)
  return withOffset({ artifacts: artifacts.slice(Number(text)), next })
}

const withOffset = (page: ArtifactPage) => ({ page, offset: page.next ?? '' })

const badOffset = (text: string): SiltstoneError =>
  invalid('bad-offset', `"${text.slice(0, 50)}" is no offset: send the one of the last answer's header`, {
    field: 'offset',
  })
