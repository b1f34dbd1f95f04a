/**
 * What a search will need, asked for in one round: the modules of the reader, which would else be found one after another, and
 * `search.json`, which the reader would ask for after they are there.
 */
import type { Fetch, FetchAnswer } from 'siltstone/page-reading'

/** @param names of modules beside this one, with spaces between; the build fills them in */
export function preloadModules(names: string): void {
  for (const name of names.split(' ')) {
    const link = document.createElement('link')
    link.rel = 'modulepreload'
    link.href = new URL(name, import.meta.url).href
    document.head.append(link)
  }
}

/**
 * A `fetch` for a reader that takes the answer for `search.json` that was asked for when this was called. Later ones, and all others,
 * are requested again. A failure is left to the reader, which asks again.
 * @param folder address
 */
export function withDescription(folder: string): Fetch {
  const url = `${folder.replace(/\/?$/, '/')}search.json`
  let early: Promise<FetchAnswer | undefined> | undefined = fetch(url, { cache: 'no-cache' }).catch(() => undefined)
  return async (asked, init) => {
    if (asked !== url || !early) return fetch(asked, init)
    const answer = await early
    early = undefined
    return answer ?? fetch(asked, init)
  }
}
