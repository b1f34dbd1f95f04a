/** The texts that a document must contain to match. `all`: any document may match. */
export type TextQuery =
  | { kind: 'all' }
  | { kind: 'text'; text: string }
  | { kind: 'and' | 'or'; parts: readonly TextQuery[] }

/** Shorter texts contain no trigram. */
export const LEAST_TEXT = 3

export const ALL: TextQuery = { kind: 'all' }

export function textOf(text: string): TextQuery {
  return text.length < LEAST_TEXT ? ALL : { kind: 'text', text }
}

export function allOf(parts: readonly TextQuery[]): TextQuery {
  const known = [...new Set(parts)].filter(({ kind }) => kind !== 'all')
  return known.length <= 1 ? (known[0] ?? ALL) : { kind: 'and', parts: known }
}

/** @param parts at least one */
export function anyOf(parts: readonly TextQuery[]): TextQuery {
  const different = [...new Set(parts)]
  if (different.some(({ kind }) => kind === 'all')) return ALL
  return different.length === 1 ? (different[0] as TextQuery) : { kind: 'or', parts: different }
}
