/**
 * Splits the JSON text of an object into its top-level fields without parsing their values.
 *
 * So the caller can parse each field as it needs: megabytes of number arrays natively, metadata exactly. Only the top
 * level is checked; the caller's parser checks the values.
 */
const WORD = /[^\s,}\]"[{:]+/y
const PLAIN = /[^"[\]{}]+/y

/** @returns the text of each value by key (the last one of a repeated key); undefined without a well-formed object */
export function splitObject(text: string): Map<string, string> | undefined {
  const fields = new Map<string, string>()
  let at = skipSpace(text, 0)
  if (text[at] !== '{') return undefined
  at = skipSpace(text, at + 1)
  if (text[at] === '}') return skipSpace(text, at + 1) === text.length ? fields : undefined
  for (;;) {
    const keyEnd = text[at] === '"' ? endOfString(text, at) : -1
    if (keyEnd < 0) return undefined
    const key = parseKey(text.slice(at, keyEnd))
    at = skipSpace(text, keyEnd)
    if (key === undefined || text[at] !== ':') return undefined
    at = skipSpace(text, at + 1)
    const end = endOfValue(text, at)
    if (end < 0) return undefined
    fields.set(key, text.slice(at, end))
    at = skipSpace(text, end)
    if (text[at] === '}') return skipSpace(text, at + 1) === text.length ? fields : undefined
    if (text[at] !== ',') return undefined
    at = skipSpace(text, at + 1)
  }
}

function skipSpace(text: string, start: number): number {
  let at = start
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at
    at++
  }
}

/** JSON.parse handles escapes, and refuses control characters. */
function parseKey(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') return endOfMatch(WORD, text, start)
  let depth = 0
  let at = start
  while (at < text.length) {
    const char = text[at]
    if (char === '"') {
      at = endOfString(text, at)
      if (at < 0) return -1
    } else if (char === '{' || char === '[') {
      depth++
      at++
    } else if (char === '}' || char === ']') {
      depth--
      at++
      if (depth === 0) return at
    } else {
      at = endOfMatch(PLAIN, text, at)
    }
  }
  return -1
}

function endOfMatch(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : -1
}

/** The position after the closing quote, -1 when there is none. */
function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return -1
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
}
