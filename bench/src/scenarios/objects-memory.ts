/** What memory of the S3 face on a directory grows by while one object of 5 GB is uploaded and downloaded. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { samplePeak } from '../measure/process-usage.ts'
import type { Row } from '../measure/report.ts'
import { type S3Face, startS3Face } from '../servers/s3-face.ts'
import type { Scenario } from './scenario.ts'

const MIB = 1024 * 1024
const BYTES = 5 * 1024 * MIB

export const objectsMemory: Scenario = {
  about: 'memory of the S3 face on a directory during the upload and the download of 5 GB; needs 5 GB of disk',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-memory-'))
    const face = await startS3Face(folder)
    try {
      await face.send('PUT', '/bench')
      // What is loaded by the first request is not growth.
      await face.send('PUT', '/bench/first', Buffer.alloc(MIB))
      await face.send('GET', '/bench/first')
      const rows: Row[] = []
      const row = async (what: string, work: () => Promise<unknown>) => {
        const measured = await during(face, what, work)
        report.note(JSON.stringify(measured))
        rows.push(measured)
      }
      await row('upload', () => face.send('PUT', '/bench/large', body(), [], BYTES))
      await row('download', () => face.send('GET', '/bench/large'))
      report.table('One object of 5 GB', rows)
    } finally {
      await face.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function body(): Readable {
  const piece = Buffer.alloc(MIB, 'siltstone')
  return Readable.from(
    (function* pieces() {
      for (let at = 0; at < BYTES; at += MIB) yield piece
    })(),
    { objectMode: false },
  )
}

async function during(face: S3Face, what: string, work: () => Promise<unknown>): Promise<Row> {
  const before = face.usage()
  const peak = samplePeak(() => face.usage().rssBytes)
  const startedMs = performance.now()
  await work()
  const seconds = (performance.now() - startedMs) / 1_000
  const highest = peak.stop()
  const after = face.usage()
  const megabytes = (bytes: number) => Math.round(bytes / 1e6)
  return {
    what,
    'RSS MB before': megabytes(before.rssBytes),
    highest: megabytes(highest),
    growth: megabytes(highest - before.rssBytes),
    after: megabytes(after.rssBytes),
    'MiB/s': Math.round(BYTES / MIB / seconds),
    'server CPU s': Math.round((after.cpuSeconds - before.cpuSeconds) * 10) / 10,
  }
}
