/** Finds links of pages that lead nowhere, and everything that a page would load from another host. */
import { posix } from 'node:path'

/**
 * @param pages HTML by place in the site
 * @param others places of files that are no pages
 * @returns a sentence for each
 */
export function linkProblems(pages: ReadonlyMap<string, string>, others: ReadonlySet<string>): string[] {
  const anchors = new Map(
    [...pages].map(([path, html]) => [path, new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id))]),
  )
  return [...pages].flatMap(([path, html]) => {
    const problems: string[] = []
    for (const [, name, value = ''] of html.matchAll(/<[a-z-]+\b[^>]*?\s(href|src|srcset)="([^"]*)"/g)) {
      const isOutside = /^[a-z][a-z+.-]*:/i.test(value)
      if (isOutside && name !== 'href') problems.push(`${path} loads ${value}`)
      if (isOutside) continue
      const [file = '', anchor] = decodeURI(value).split('#', 2)
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      if (!pages.has(target) && !others.has(target)) problems.push(`${path} leads to ${value}, which is not there`)
      else if (anchor !== undefined && anchors.get(target)?.has(anchor) !== true)
        problems.push(`${path} leads to ${value}, which has no such place`)
    }
    for (const [tag] of html.matchAll(/<link\b[^>]*\shref="[a-z]+:[^>]*>/g)) problems.push(`${path} loads ${tag}`)
    return problems
  })
}
