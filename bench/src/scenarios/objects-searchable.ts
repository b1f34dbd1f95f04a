/** From an upload through the S3 face to records that a search finds, on a directory, with one server that does everything. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pageOfText, writePdf } from '@siltstone/processors/testing'
import type { Row } from '../measure/report.ts'
import { median, percentile } from '../measure/statistics.ts'
import { type S3Face, startS3Face } from '../servers/s3-face.ts'
import type { Scenario } from './scenario.ts'

const BUCKET = 'bench'
const PDFS = 20
const PAGES = 10
const LINES = 40
const TEXTS = 1_000
const AT_ONCE = 16
const POLL_MS = 10
/** A look at all of them reads the state of each. */
const POLL_ALL_MS = 1_000
const SETTLES_WITHIN_MS = 10 * 60_000

export const objectsSearchable: Scenario = {
  about: 'from an upload through the S3 face to searchable records: PDFs of 10 pages one by one, 1,000 texts at once',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-searchable-'))
    const face = await startS3Face(folder)
    try {
      await face.send('PUT', `/${BUCKET}`)
      report.table(`${PDFS} PDFs of ${PAGES} pages, one after the other`, [await pdfs(face)])
      report.table(`${TEXTS.toLocaleString('en')} texts of 1 kB, ${AT_ONCE} requests in flight`, [await texts(face)])
    } finally {
      await face.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function pdfs(face: S3Face): Promise<Row> {
  const times: number[] = []
  let firstMs = 0
  let records = 0
  for (let n = 0; n <= PDFS; n++) {
    const startedMs = performance.now()
    await face.send('PUT', `/${BUCKET}/pdf/${n}.pdf`, pdf(n))
    records = await searchable(face, `pdf/${n}.pdf`)
    const ms = performance.now() - startedMs
    if (n === 0) firstMs = ms
    else times.push(ms)
  }
  const p99 = percentile(
    times.toSorted((a, b) => a - b),
    0.99,
  )
  return { records, 'first ms': firstMs, 'p50 ms': median(times), 'p99 ms': p99, ...memoryOf(face) }
}

async function texts(face: S3Face): Promise<Row> {
  const startedMs = performance.now()
  const left = Array.from({ length: TEXTS }, (_, n) => n)
  const upload = async () => {
    for (let n = left.pop(); n !== undefined; n = left.pop())
      await face.send('PUT', `/${BUCKET}/text/${n}.txt`, Buffer.from(paragraph(n)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, upload))
  const uploadedS = (performance.now() - startedMs) / 1_000
  await settled(face, 'text/', TEXTS)
  const seconds = (performance.now() - startedMs) / 1_000
  return {
    'uploaded after s': uploadedS,
    'all searchable after s': seconds,
    'a second': TEXTS / seconds,
    ...memoryOf(face),
  }
}

interface Status {
  key: string
  progress: string
  records: number
}

async function ask<T>(face: S3Face, path: string): Promise<T> {
  const answer = await fetch(`${face.apiUrl}/api/siltstone/v1/objects/${path}`)
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** @returns how many records it has */
async function searchable(face: S3Face, key: string): Promise<number> {
  for (const endMs = performance.now() + SETTLES_WITHIN_MS; ; await pause(POLL_MS)) {
    const { objects } = await ask<{ objects: Status[] }>(face, `status?bucket=${BUCKET}&prefix=${key}`)
    const [status] = objects
    if (status?.progress === 'done') return status.records
    if (status?.progress === 'dead' || performance.now() > endMs)
      throw new Error(`${key} is ${status?.progress ?? 'not there'}`)
  }
}

async function settled(face: S3Face, prefix: string, wanted: number): Promise<void> {
  for (const endMs = performance.now() + SETTLES_WITHIN_MS; ; await pause(POLL_ALL_MS)) {
    let done = 0
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const at: string = cursor === undefined ? '' : `&cursor=${cursor}`
      const page: { objects: Status[]; cursor: string | null } = await ask(
        face,
        `status?bucket=${BUCKET}&prefix=${prefix}&state=done&limit=1000${at}`,
      )
      done += page.objects.length
      cursor = page.cursor
    }
    if (done === wanted) return
    if (performance.now() > endMs) throw new Error(`${done} of ${wanted} objects are searchable`)
  }
}

const sentence = (k: number) =>
  `Line ${k} tells how rivers carry sand and clay down to the sea, where both of them settle`
const paragraph = (n: number) => Array.from({ length: 11 }, (_, k) => `${sentence(n * 11 + k)}.`).join(' ')
const pdf = (n: number) =>
  Buffer.from(
    writePdf(
      Array.from({ length: PAGES }, (_, page) =>
        pageOfText([
          `# Chapter ${page + 1} of book ${n}`,
          ...Array.from({ length: LINES }, (_, k) => sentence((n * PAGES + page) * LINES + k)),
        ]),
      ),
    ),
  )

function memoryOf(face: S3Face): Row {
  const { rssBytes, peakRssBytes } = face.usage()
  return { 'server RSS MB': Math.round(rssBytes / 1e6), highest: Math.round(peakRssBytes / 1e6) }
}
