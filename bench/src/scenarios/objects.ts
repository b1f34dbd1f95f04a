/**
 * The S3 face of `serve --objects` on a directory: small objects with several requests in flight, and one large object,
 * beside a copy of a file with fsync in the same run: in one request, and in parts as the AWS CLI sends them. The client runs on
 * the same processors and costs as much as it has to: it signs no body and computes no checksum.
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
/** As the AWS CLI and boto3 do it by default. */
const PART_BYTES = 8 * MIB
const PARTS_AT_ONCE = 10

export const objects: Scenario = {
  about: 'the S3 face on a directory: 10,000 objects of 1 kB, and one of 1 GiB beside cp and fsync',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-objects-'))
    const face = await startS3Face(folder)
    try {
      await face.send('PUT', '/bench')
      report.table('10,000 objects of 1 kB, 16 requests in flight', await smallObjects(face))
      const source = await largeFile(folder)
      const inOne: Upload = (path) =>
        face.send('PUT', path, createReadStream(source, { highWaterMark: MIB }), [], LARGE_BYTES)
      report.table('One object of 1 GiB, one request', await largeObject(face, folder, source, inOne))
      const inParts: Upload = (path) => uploadInParts(face, source, path)
      report.table(
        `One object of 1 GiB, in parts of ${PART_BYTES / MIB} MiB, ${PARTS_AT_ONCE} at once`,
        await largeObject(face, folder, source, inParts),
      )
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

type Upload = (path: string) => Promise<unknown>

async function largeFile(folder: string): Promise<string> {
  const source = join(folder, 'source')
  const handle = await open(source, 'w')
  for (let at = 0; at < LARGE_BYTES; at += 64 * MIB) await handle.write(Buffer.alloc(64 * MIB, at / MIB))
  await handle.close()
  return source
}

async function uploadInParts(face: S3Face, source: string, path: string): Promise<void> {
  const created = await face.send('POST', path, undefined, [['uploads', '']])
  const uploadId = /<UploadId>([^<]*)<\/UploadId>/.exec(created.text)?.[1] ?? ''
  const etags: string[] = []
  const numbers = Array.from({ length: LARGE_BYTES / PART_BYTES }, (_, at) => at + 1).reverse()
  const one = async () => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      const start = (number - 1) * PART_BYTES
      const body = createReadStream(source, { start, end: start + PART_BYTES - 1, highWaterMark: MIB })
      const query: [string, string][] = [
        ['partNumber', String(number)],
        ['uploadId', uploadId],
      ]
      etags[number - 1] = (await face.send('PUT', path, body, query, PART_BYTES)).etag
    }
  }
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, one))
  const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
  const text = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
  await face.send('POST', path, Buffer.from(text), [['uploadId', uploadId]])
}

async function largeObject(face: S3Face, folder: string, source: string, upload: Upload): Promise<Row[]> {
  const rows: Row[] = []
  for (let round_ = 1; round_ <= ROUNDS; round_++) {
    const copied = await timed(() => copyAndSync(source, join(folder, 'copy')))
    const before = face.usage()
    const clientBefore = process.cpuUsage()
    const up = await timed(() => upload('/bench/large'))
    const client = process.cpuUsage(clientBefore)
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
      'client CPU s, up': round((client.user + client.system) / 1e6),
      'server CPU s, down': round(after.cpuSeconds - afterUp.cpuSeconds),
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
