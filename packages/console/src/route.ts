/**
 * Every view has an address: `#/tenant/database/collection/view?parameter=value`, or `#page?parameter=value` for a page that
 * belongs to no tenant. Parts are percent-encoded; a parameter that has its default is left out.
 */
export const VIEWS = ['records', 'search', 'fields', 'map', 'history', 'upkeep'] as const
export type View = (typeof VIEWS)[number]

export const PAGES = ['server', 'uploads', 'artifacts', 'access'] as const
export type Page = (typeof PAGES)[number]

export interface Route {
  /** A page of the whole server; there is no tenant then. */
  page?: Page
  tenant?: string
  database?: string
  collection?: string
  view: View
  params: Record<string, string>
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2)
  const page = PAGES.find((one) => one === path)
  const params = Object.fromEntries(new URLSearchParams(query))
  if (page !== undefined) return { page, view: 'records', params }
  const [tenant, database, collection, named] = path.split('/').filter(Boolean).map(decoded)
  const view = VIEWS.find((one) => one === named) ?? 'records'
  return {
    ...(tenant !== undefined && { tenant }),
    ...(database !== undefined && { database }),
    ...(collection !== undefined && { collection }),
    view,
    params,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function hashOf({ page, tenant, database, collection, view, params }: Partial<Route>): string {
  const query = new URLSearchParams(Object.entries(params ?? {}).filter(([, value]) => value !== ''))
  const more = query.size > 0 ? `?${query}` : ''
  if (page !== undefined) return `#${page}${more}`
  const parts = [tenant, database, collection].filter((part) => part !== undefined).map(encodeURIComponent)
  if (collection !== undefined && view !== undefined) parts.push(view)
  return `#/${parts.join('/')}${more}`
}
