/**
 * Which files a repository's `.gitattributes` wants sent by Git LFS (https://git-scm.com/docs/gitattributes): those whose last matching
 * pattern with a `filter` says `filter=lfs`. Clients rely on it: some delete a file once they have sent it ahead of the commit.
 */

interface Rule {
  /** Names of folders and of the file; `**` is any number of folders. */
  parts: readonly string[]
  isLfs: boolean
}

const MAX_LINES = 2_000
const MAX_PATTERN_CHARACTERS = 256

/** @returns whether a path is to be sent by Git LFS */
export function lfsRulesOf(text: string): (path: string) => boolean {
  const rules = text.split(/\r?\n/, MAX_LINES).flatMap(ruleOf)
  return (path) => {
    const names = path.split('/')
    const matches = ({ parts }: Rule) => matchesAll(parts, names, (part) => part === '**', matchesName)
    return rules.findLast(matches)?.isLfs ?? false
  }
}

function ruleOf(line: string): Rule[] {
  const [pattern = '', ...attributes] = line.trim().split(/\s+/)
  if (pattern === '' || pattern.startsWith('#') || pattern.length > MAX_PATTERN_CHARACTERS) return []
  const filter = attributes.findLast((each) => /^[-!]?filter(?:=|$)/.test(each))
  return filter === undefined ? [] : [{ parts: partsOf(pattern), isLfs: filter === 'filter=lfs' }]
}

/** A pattern without a slash is about the file's name, wherever it is. */
function partsOf(pattern: string): string[] {
  const parts = pattern.replace(/^\//, '').split('/')
  if (!pattern.includes('/')) return ['**', ...parts]
  return parts.at(-1) === '**' ? [...parts, '*'] : parts
}

const matchesName = (part: string, name: string): boolean =>
  matchesAll(
    Array.from(part),
    Array.from(name),
    (each) => each === '*',
    (each, character) => each === '?' || each === character,
  )

/**
 * Whether the items fit the pattern, in which a star stands for any number of them. Only the latest star is tried again, which is
 * enough, so the time is at most the product of both lengths.
 */
function matchesAll(
  pattern: readonly string[],
  items: readonly string[],
  isStar: (part: string) => boolean,
  fits: (part: string, item: string) => boolean,
): boolean {
  let at = 0
  let star: { at: number; item: number } | undefined
  for (let item = 0; item < items.length; ) {
    const part = pattern[at]
    if (part !== undefined && isStar(part)) star = { at: at++, item }
    else if (part !== undefined && fits(part, items[item] as string)) {
      at++
      item++
    } else if (star !== undefined) {
      at = star.at + 1
      item = ++star.item
    } else return false
  }
  return pattern.slice(at).every(isStar)
}
