/**
 * Every view has an address: `#/tenant/database/collection/view?parameter=value`. Parts are percent-encoded; a parameter
 * that has its default is left out.
 */
export const VIEWS = ['records', 'search', 'fields', 'map', 'history', 'upkeep'] as const
export type View = (typeof VIEWS)[number]

export interface Route {
  tenant?: string
  database?: string
  collection?: string
  view: View
  params: Record<string, string>
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2)
  const [tenant, database, collection, named] = path.split('/').filter(Boolean).map(decoded)
  const view = VIEWS.find((one) => one === named) ?? 'records'
  const params = Object.fromEntries(new URLSearchParams(query))
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

export function hashOf({ tenant, database, collection, view, params }: Partial<Route>): string {
  const parts = [tenant, database, collection].filter((part) => part !== undefined).map(encodeURIComponent)
  if (collection !== undefined && view !== undefined) parts.push(view)
  const query = new URLSearchParams(Object.entries(params ?? {}).filter(([, value]) => value !== ''))
  return `#/${parts.join('/')}${query.size > 0 ? `?${query}` : ''}`
}
