/** Workbooks (ECMA-376, SpreadsheetML): the rows of each sheet as `name: value`, with the sheet's name and the row's number. */
import { type Block, oneLine } from '../blocks.ts'
import { tableRows } from '../text/table.ts'
import type { Archive } from './zip-reader.ts'
import { folderOf, readXml, relationsOf } from './xml.ts'

const MAX_COLUMNS = 16_384

export async function xlsxBlocks(archive: Archive, main: string): Promise<{ blocks: Block[]; sheets: number }> {
  const folder = folderOf(main)
  const relations = relationsOf(await archive.readText(`${folder}/_rels/${main.slice(folder.length + 1)}.rels`), folder)
  const partOf = async (type: string) => {
    const part = [...relations.values()].find((relation) => relation.type === type)?.target
    return (part === undefined ? undefined : await archive.readText(part)) ?? ''
  }
  const strings = sharedStrings(await partOf('sharedStrings'))
  const dates = dateStyles(await partOf('styles'))
  const blocks: Block[] = []
  const { sheets, epochDays } = workbookOf((await archive.readText(main)) ?? '')
  for (const { name, id } of sheets) {
    const target = relations.get(id)?.target
    const xml = target === undefined ? undefined : await archive.readText(target)
    if (xml === undefined) continue
    blocks.push({ text: name, level: 1, place: { sheet: name } })
    const rows = rowsOf(xml, { strings, dates, epochDays })
    for (const { text, row } of tableRows(rows))
      blocks.push({ text, place: { sheet: name, row_start: row, row_end: row } })
  }
  return { blocks, sheets: sheets.length }
}

interface Row {
  row: number
  cells: string[]
}

/** What the cells of a workbook refer to. */
interface Shared {
  strings: readonly string[]
  /** The cell styles whose numbers are dates. */
  dates: ReadonlySet<number>
  /** What has to be added to the number of a day to count from the end of 1899. */
  epochDays: number
}

/** Workbooks that began on a Macintosh count days from 1904. */
const DAYS_TO_1904 = 1_462

function workbookOf(xml: string): { sheets: { name: string; id: string }[]; epochDays: number } {
  const sheets: { name: string; id: string }[] = []
  let epochDays = 0
  readXml(xml, {
    open(name, attributes) {
      if (name === 'workbookPr' && /^(?:1|true|on)$/.test(attributes['date1904'] ?? '')) epochDays = DAYS_TO_1904
      if (name === 'sheet') sheets.push({ name: attributes['name'] ?? '', id: attributes['id'] ?? '' })
    },
  })
  return { sheets, epochDays }
}

function sharedStrings(xml: string): string[] {
  const strings: string[] = []
  readXml(xml, {
    open: (name) => name === 'si' && strings.push(''),
    text(data, path) {
      // `rPh` is how a word is pronounced.
      if (path.at(-1) === 't' && !path.includes('rPh')) strings[strings.length - 1] += data
    },
  })
  return strings
}

/** The cell styles whose numbers are dates: by built-in number format, or by letters of dates in their own. */
function dateStyles(xml: string): Set<number> {
  const formats = new Map<string, boolean>()
  const dates = new Set<number>()
  let style = 0
  readXml(xml, {
    open(name, { numFmtId = '', formatCode = '' }, path) {
      if (name === 'numFmt')
        formats.set(numFmtId, /[ymdhs]/i.test(formatCode.replaceAll(/"[^"]*"|\[[^\]]*\]|\\./g, '')))
      if (name !== 'xf' || path.at(-2) !== 'cellXfs') return
      const builtIn = Number(numFmtId)
      if (formats.get(numFmtId) ?? ((builtIn >= 14 && builtIn <= 22) || (builtIn >= 45 && builtIn <= 47)))
        dates.add(style)
      style++
    },
  })
  return dates
}

function rowsOf(xml: string, shared: Shared): Row[] {
  const rows: Row[] = []
  let current: Row = { row: 0, cells: [] }
  let column = -1
  let type = ''
  let isDate = false
  let value = ''
  readXml(xml, {
    open(name, { r, t = '', s = '0' }) {
      if (name === 'row') {
        current = { row: Number(r) || current.row + 1, cells: [] }
        column = -1
      } else if (name === 'c') {
        column = columnOf(r) ?? column + 1
        type = t
        isDate = shared.dates.has(Number(s))
        value = ''
      }
    },
    text(data, path) {
      if (path.at(-1) === 'v' || (path.at(-1) === 't' && path.includes('is'))) value += data
    },
    close(name) {
      if (name === 'c' && column < MAX_COLUMNS && value !== '') {
        while (current.cells.length < column) current.cells.push('')
        current.cells[column] = oneLine(valueOf(value, type, isDate, shared))
      } else if (name === 'row' && current.cells.length > 0) rows.push(current)
    },
  })
  return rows.toSorted((a, b) => a.row - b.row)
}

function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0]
  if (letters === undefined) return undefined
  return Array.from(letters).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

function valueOf(value: string, type: string, isDate: boolean, { strings, epochDays }: Shared): string {
  if (type === 's') return strings[Number(value)] ?? ''
  if (type === 'b') return value === '1' ? 'true' : 'false'
  if (type === 'str' || type === 'inlineStr' || type === 'e' || type === 'd' || !isDate) return value
  return dateOf(Number(value) + epochDays) ?? value
}

/** A day's number, counted from the end of 1899, as a date, with the time if it has one. */
function dateOf(serial: number): string | undefined {
  if (!(serial >= 1 && serial < 2_958_466)) return undefined
  const text = new Date(Math.round((serial - 25_569) * 86_400_000)).toISOString()
  return serial % 1 === 0 ? text.slice(0, 10) : text.slice(0, 19).replace('T', ' ')
}
