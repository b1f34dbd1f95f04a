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
  const times = timeStyles(await partOf('styles'))
  const blocks: Block[] = []
  const { sheets, epochDays } = workbookOf((await archive.readText(main)) ?? '')
  for (const { name, id } of sheets) {
    const target = relations.get(id)?.target
    const xml = target === undefined ? undefined : await archive.readText(target)
    if (xml === undefined) continue
    blocks.push({ text: name, level: 1, place: { sheet: name } })
    const rows = rowsOf(xml, { strings, times, epochDays })
    for (const { text, row } of tableRows(rows))
      blocks.push({ text, place: { sheet: name, row_start: row, row_end: row } })
  }
  return { blocks, sheets: sheets.length }
}

interface Row {
  row: number
  cells: string[]
}

/** What a number of days means: a moment, a time of a day, or how long something takes. */
type TimeKind = 'moment' | 'time' | 'length'

/** What the cells of a workbook refer to. */
interface Shared {
  strings: readonly string[]
  /** The cell styles whose numbers are times. */
  times: ReadonlyMap<number, TimeKind>
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

/** The cell styles whose numbers are times: by built-in number format, or by letters of times in their own. */
function timeStyles(xml: string): Map<number, TimeKind> {
  const formats = new Map<string, TimeKind | undefined>()
  const times = new Map<number, TimeKind>()
  let style = 0
  readXml(xml, {
    open(name, { numFmtId = '', formatCode = '' }, path) {
      if (name === 'numFmt') formats.set(numFmtId, kindOf(formatCode))
      if (name !== 'xf' || path.at(-2) !== 'cellXfs') return
      const kind = formats.has(numFmtId) ? formats.get(numFmtId) : builtInKind(Number(numFmtId))
      if (kind !== undefined) times.set(style, kind)
      style++
    },
  })
  return times
}

function builtInKind(format: number): TimeKind | undefined {
  if ((format >= 14 && format <= 17) || format === 22) return 'moment'
  if ((format >= 18 && format <= 21) || format === 45 || format === 47) return 'time'
  return format === 46 ? 'length' : undefined
}

/** Letters in brackets count on beyond a day; months and minutes are both an `m`. */
function kindOf(formatCode: string): TimeKind | undefined {
  const code = formatCode.replaceAll(/"[^"]*"|\\./g, '')
  if (/\[(?:h+|m+|s+)\]/i.test(code)) return 'length'
  const letters = code.replaceAll(/\[[^\]]*\]/g, '')
  if (/[yd]/i.test(letters)) return 'moment'
  if (/[hs]/i.test(letters)) return 'time'
  return /m/i.test(letters) ? 'moment' : undefined
}

function rowsOf(xml: string, shared: Shared): Row[] {
  const rows: Row[] = []
  let current: Row = { row: 0, cells: [] }
  let column = -1
  let type = ''
  let kind: TimeKind | undefined
  let value = ''
  readXml(xml, {
    open(name, { r, t = '', s = '0' }) {
      if (name === 'row') {
        current = { row: Number(r) || current.row + 1, cells: [] }
        column = -1
      } else if (name === 'c') {
        column = columnOf(r) ?? column + 1
        type = t
        kind = shared.times.get(Number(s))
        value = ''
      }
    },
    text(data, path) {
      if (path.at(-1) === 'v' || (path.at(-1) === 't' && path.includes('is'))) value += data
    },
    close(name) {
      if (name === 'c' && column < MAX_COLUMNS && value !== '') {
        while (current.cells.length < column) current.cells.push('')
        current.cells[column] = oneLine(valueOf(value, type, kind, shared))
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

function valueOf(value: string, type: string, kind: TimeKind | undefined, { strings, epochDays }: Shared): string {
  if (type === 's') return strings[Number(value)] ?? ''
  if (type === 'b') return value === '1' ? 'true' : 'false'
  if (type === 'str' || type === 'inlineStr' || type === 'e' || type === 'd' || kind === undefined) return value
  const days = Number(value)
  if (kind !== 'moment' && days >= 0) return timeOf(kind === 'time' ? days % 1 : days)
  return dateOf(days + epochDays) ?? value
}

/** A part of a day, or several days, as hours, minutes and seconds. */
function timeOf(days: number): string {
  const seconds = Math.round(days * 86_400)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** A day's number, counted from the end of 1899, as a date, with the time if it has one. */
function dateOf(serial: number): string | undefined {
  if (!(serial >= 1 && serial < 2_958_466)) return undefined
  const text = new Date(Math.round((serial - 25_569) * 86_400_000)).toISOString()
  return serial % 1 === 0 ? text.slice(0, 10) : text.slice(0, 19).replace('T', ' ')
}
