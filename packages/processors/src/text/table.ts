/** Tables of text (RFC 4180): rows as `name: value` lines, so that each passage can be read alone. */
export interface TableRow {
  text: string
  /** Number of the row in the file, from 1; a header is row 1. */
  row: number
}

/** The fields of all rows. A quote that is never closed takes the rest of its row only. */
export function* parseTable(text: string, separator: string): Generator<string[]> {
  let fields: string[] = []
  let at = 0
  while (at < text.length) {
    let field: string
    if (text[at] === '"') {
      const { value, next } = quoted(text, at)
      field = value
      at = next
    } else {
      const end = nextOf(text, at, separator)
      field = text.slice(at, end)
      at = end
    }
    fields.push(field)
    if (text[at] === separator) {
      at++
      if (at < text.length && text[at] !== '\n') continue
      fields.push('')
    }
    at++
    yield fields
    fields = []
  }
}

function nextOf(text: string, from: number, separator: string): number {
  let at = from
  while (at < text.length && text[at] !== separator && text[at] !== '\n') at++
  return at
}

function quoted(text: string, from: number): { value: string; next: number } {
  let value = ''
  let at = from + 1
  for (;;) {
    const end = text.indexOf('"', at)
    if (end < 0) {
      const line = text.indexOf('\n', from)
      return { value: text.slice(from + 1, line < 0 ? text.length : line), next: line < 0 ? text.length : line }
    }
    value += text.slice(at, end)
    if (text[end + 1] === '"') {
      value += '"'
      at = end + 2
      continue
    }
    let next = end + 1
    // What stands between a closing quote and the separator breaks the rules; it is kept.
    while (next < text.length && !/[,;\t|\n]/.test(text[next] as string)) value += text[next++]
    return { value, next }
  }
}

/**
 * Rows under a header: the first row, if no cell of it is empty or a number.
 * @param rows their fields, and their numbers where they do not simply follow each other
 */
export function* tableRows(
  rows: Iterable<readonly string[] | { row: number; cells: readonly string[] }>,
): Generator<TableRow> {
  let header: { row: number; cells: readonly string[] } | undefined
  let count = 0
  let row = 0
  for (const item of rows) {
    row = 'row' in item ? item.row : row + 1
    const cells = ('row' in item ? item.cells : item).map((field) => field.replaceAll(/\s+/g, ' ').trim())
    if (count++ === 0 && isHeader(cells)) {
      header = { row, cells }
      continue
    }
    const names = header?.cells
    const text = cells
      .map((cell, k) => (cell === '' ? '' : names?.[k] === undefined ? cell : `${names[k]}: ${cell}`))
      .filter((part) => part !== '')
      .join('; ')
    if (text !== '') yield { text, row }
  }
  if (header && count === 1) yield { text: header.cells.join('; '), row: header.row }
}

const isHeader = (cells: readonly string[]) => {
  const used = cells.slice(cells.findIndex((cell) => cell !== ''))
  const areNames = used.every((cell) => cell !== '' && !/^[-+]?[\d.,]+%?$/.test(cell))
  return used.length > 1 && areNames && new Set(used).size === used.length
}
