/**
 * The S3 face of `serve --objects` on a directory: small objects with several requests in flight, and one large object,
 * beside a copy of a file with fsync in the same run.
 */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from '../measure/report.ts'
import { type S3Face, startS3Face } from '../servers/s3-face.ts'
import type { Scenario } from './scenario.ts'

const MIB = 1024 * 1024
const LARGE_BYTES = 1024 * MIB
const SMALL = 10_000
const AT_ONCE = 16
const ROUNDS = 3

export const objects: Scenario = {
  about: 'the S3 face on a directory: 10,000 objects of 1 kB, and one of 1 GiB beside cp and fsync',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-objects-'))
    const face = await startS3Face(folder)
    try {
      await face.send('PUT', '/bench')
      report.table('10,000 objects of 1 kB, 16 requests in flight', await smallObjects(face))
      report.table('One object of 1 GiB, one request', await largeObject(face, folder))
    } finally {
      await face.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function smallObjects(face: S3Face): Promise<Row[]> {
  const body = Buffer.alloc(1_000, 'x')
  const keys = Array.from({ length: SMALL }, (_, at) => `/bench/small/${String(at).padStart(6, '0')}`)
  const each = async (work: (path: string) => Promise<unknown>) => {
    const left = [...keys]
    const one = async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop()) await work(path)
    }
    return timed(() => Promise.all(Array.from({ length: AT_ONCE }, one)))
  }
  const rows: Row[] = []
  const row = (what: string, seconds: number) =>
    rows.push({
      what,
      seconds: round(seconds),
      'a second': Math.round(SMALL / seconds),
      'server RSS MB': megabytes(face.usage().rssBytes),
    })
  row('put', await each((path) => face.send('PUT', path, body)))
  row('get', await each((path) => face.send('GET', path)))
  const list = async () => {
    for (let at = 0, after = ''; at < SMALL; at += 1_000) {
      const { text } = await face.send('GET', '/bench', undefined, [
        ['list-type', '2'],
        ['start-after', after],
      ])
      after = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].at(-1)?.[1] ?? ''
    }
  }
  row('list, 1,000 a page', await timed(list))
  row('delete', await each((path) => face.send('DELETE', path)))
  return rows
}

async function largeObject(face: S3Face, folder: string): Promise<Row[]> {
  const source = join(folder, 'source')
  const handle = await open(source, 'w')
  for (let at = 0; at < LARGE_BYTES; at += 64 * MIB) await handle.write(Buffer.alloc(64 * MIB, at / MIB))
  await handle.close()
  const rows: Row[] = []
  for (let round_ = 1; round_ <= ROUNDS; round_++) {
    const copied = await timed(() => copyAndSync(source, join(folder, 'copy')))
    const before = face.usage()
    const up = await timed(() =>
      face.send('PUT', '/bench/large', createReadStream(source, { highWaterMark: MIB }), [], LARGE_BYTES),
    )
    const afterUp = face.usage()
    const down = await timed(() => face.send('GET', '/bench/large'))
    const after = face.usage()
    rows.push({
      round: round_,
      'cp + fsync MiB/s': Math.round(1_024 / copied),
      'upload MiB/s': Math.round(1_024 / up),
      'upload of cp': `${Math.round((100 * copied) / up)} %`,
      'download MiB/s': Math.round(1_024 / down),
      'server CPU s, up': round(afterUp.cpuSeconds - before.cpuSeconds),
      down: round(after.cpuSeconds - afterUp.cpuSeconds),
      'RSS MB before': megabytes(before.rssBytes),
      'after upload': megabytes(afterUp.rssBytes),
      'after download': megabytes(after.rssBytes),
      'highest so far': megabytes(after.peakRssBytes),
    })
  }
  return rows
}

async function copyAndSync(from: string, to: string): Promise<void> {
  const target = await open(to, 'w')
  for await (const chunk of createReadStream(from, { highWaterMark: MIB })) await target.write(chunk as Uint8Array)
  await target.sync()
  await target.close()
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1_000
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100
const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)
