/**
 * Publishing again after some passages changed: how many files and bytes are written, and what a visitor downloads who searches
 * the folder that then consists of two segments. Everything is counted, nothing is timed.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startFileHost } from '../pages/file-host.ts'
import { PassageFolder } from '../pages/passage-folder.ts'
import { queryTexts } from '../data/passages.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'
import { SCRATCH } from '../places.ts'
import type { Scenario } from './scenario.ts'

/** Shares of the passages that change; 0: one passage. */
const SHARES = [0, 0.001, 0.005, 0.0125, 0.02]
const VISITS = 10
const QUERIES = 4
const RESULTS = 10

export const republish: Scenario = {
  about: 'publishing again after passages changed: files and bytes written, and bytes of queries',
  records: [10_000],
  run: async (options, report, open) => {
    const data = open()
    const folder = join(SCRATCH, `republish-${data.count}`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const texts = queryTexts(options.data ?? '', VISITS * QUERIES)
    const passages = await PassageFolder.open(data, folder)
    const rows: Row[] = []
    const add = async (
      changed: number,
      { written, writtenBytes, files, sizeBytes }: Awaited<ReturnType<PassageFolder['publish']>>,
    ) =>
      rows.push({
        'passages changed': changed,
        'files written': written,
        'KB written': writtenBytes / 1_000,
        files,
        'folder MB': megabytes(sizeBytes),
        ...(await bytesOfQueries(folder, texts)),
      })
    await add(data.count, await passages.publish())
    for (const share of SHARES) {
      const changed = Math.max(1, Math.floor(share * data.count))
      const places = Array.from({ length: changed }, (_, i) => Math.floor((i * data.count) / changed))
      await passages.write(places, (row) => `${data.document(row)} Revised.`)
      await add(changed, await passages.publish())
      await passages.write(places, (row) => data.document(row))
    }
    await passages.close()
    report.table(`Publishing again, ${data.name}`, rows)
  },
}

/** Of the folder alone, without the modules. */
async function bytesOfQueries(folder: string, texts: readonly string[]): Promise<Row> {
  const firsts: number[] = []
  const nexts: number[] = []
  for (let visit = 0; visit < VISITS; visit++) {
    const host = await startFileHost(folder)
    for (let i = 0; i < QUERIES; i++) {
      await host.search(texts[visit * QUERIES + i] ?? '', RESULTS)
      ;(i === 0 ? firsts : nexts).push(host.take().bytes / 1_000)
    }
  }
  return { 'first query KB': mean(firsts), 'next query KB': mean(nexts) }
}
