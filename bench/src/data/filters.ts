/** The measured filters: two correlate with the vectors (the subject of a passage), two are independent of them. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Where } from 'chromadb'
import type { FilterColumns } from '../candidates/candidate.ts'
import { SETS } from '../places.ts'
import type { Dataset } from './dataset.ts'

export interface NamedFilter {
  name: string
  where: Where
  sql: string
  matches(metadata: Partial<FilterColumns>): boolean
}

export const FILTERS: readonly NamedFilter[] = [
  {
    name: 'section = perl',
    where: { section: 'perl' },
    sql: "section = 'perl'",
    matches: ({ section }) => section === 'perl',
  },
  {
    name: 'games of more than 2 MB',
    where: { $and: [{ section: 'games' }, { installed_kb: { $gt: 2048 } }] },
    sql: "section = 'games' AND installed_kb > 2048",
    matches: ({ section, installed_kb: kb }) => section === 'games' && kb !== undefined && kb > 2048,
  },
  {
    name: 'hash of the id, 10 %',
    where: { bucket: { $lt: 10 } },
    sql: 'bucket < 10',
    matches: ({ bucket }) => bucket !== undefined && bucket < 10,
  },
  {
    name: 'hash of the id, 1 %',
    where: { bucket: 7 },
    sql: 'bucket = 7',
    matches: ({ bucket }) => bucket === 7,
  },
]

/** Short and stable name for files. */
export function filterKey({ sql }: NamedFilter): string {
  return createHash('sha256').update(sql).digest('hex').slice(0, 8)
}

export function matchingRows(data: Dataset, { matches }: NamedFilter): number[] {
  const rows: number[] = []
  for (let row = 0; row < data.count; row++)
    if (matches(JSON.parse(data.metadata(row)) as Partial<FilterColumns>)) rows.push(row)
  return rows
}

/** One JSON line per row, with the columns that peers need for the same filters. */
export function columnsFile(data: Dataset): string {
  const path = join(SETS, `columns-${data.key}.jsonl`)
  if (existsSync(path)) return path
  mkdirSync(SETS, { recursive: true })
  const lines = Array.from({ length: data.count }, (_, row) => {
    const { section = '', installed_kb = -1, bucket = -1 } = JSON.parse(data.metadata(row)) as Partial<FilterColumns>
    return JSON.stringify({ section, installed_kb, bucket })
  })
  writeFileSync(`${path}.${process.pid}`, lines.join('\n'))
  renameSync(`${path}.${process.pid}`, path)
  return path
}
