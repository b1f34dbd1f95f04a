/** Finds the route of a request. A fixed segment goes before a parameter, whatever the order of the routes. */

export interface Routed<R> {
  route: R
  params: Record<string, string>
}

export type Match<R> = ({ kind: 'found' } & Routed<R>) | { kind: 'wrong-method'; allow: string[] } | { kind: 'none' }

interface Compiled<R> {
  segments: readonly string[]
  rank: string
  route: R
}

export class Router<R extends { method: string; path: string }> {
  readonly #routes: readonly Compiled<R>[]

  constructor(routes: readonly R[]) {
    this.#routes = routes
      .map((route) => ({ segments: route.path.split('/').slice(1), rank: rankOf(route.path), route }))
      .toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))
  }

  /** @param path with percent-encoding */
  match(method: string, path: string): Match<R> {
    const parts = path.split('/').slice(1)
    // A slash at the end changes nothing.
    if (parts.length > 1 && parts.at(-1) === '') parts.pop()
    let rank: string | undefined
    const allow = new Set<string>()
    for (const { segments, rank: ranked, route } of this.#routes) {
      // Once a pattern matches, less specific ones do not count: `/artifact/byRegEx` is no type of artifact.
      if (rank !== undefined && ranked !== rank) break
      const params = paramsOf(segments, parts)
      if (params === undefined) continue
      if (route.method === method) return { kind: 'found', route, params }
      rank = ranked
      allow.add(route.method)
    }
    return allow.size === 0 ? { kind: 'none' } : { kind: 'wrong-method', allow: [...allow] }
  }
}

/** Sorts fixed segments before parameters, and those before the rest of a path; longer ones of a kind first. */
function rankOf(path: string): string {
  return path
    .split('/')
    .slice(1)
    .map((segment) => (segment.endsWith('...}') ? '2' : segment.includes('{') ? '1' : `0${segment} `))
    .join('/')
}

function paramsOf(segments: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    if (segment.endsWith('...}')) {
      const rest = decode(parts.slice(index).join('/'))
      if (rest === undefined || rest === '') return undefined
      params[segment.slice(1, -4)] = rest
      return params
    }
    const part = parts[index]
    if (part === undefined) return undefined
    if (!segment.includes('{')) {
      if (part !== segment) return undefined
      continue
    }
    const value = decode(part)
    const [, name = '', suffix = ''] = /^\{(\w+)\}(.*)$/.exec(segment) ?? []
    if (value === undefined || value.length <= suffix.length || !value.endsWith(suffix)) return undefined
    params[name] = value.slice(0, value.length - suffix.length)
  }
  return parts.length === segments.length ? params : undefined
}

/** Undefined: it is no percent-encoding. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
