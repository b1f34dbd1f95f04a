/**
 * From the upload of a video of one minute to records that a search finds. The words are known, so the transcript is compared with
 * them. Metadata and subtitles become searchable before the rest. The same video without a sound shows what scenes take where nothing
 * is transcribed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { normalised, twoCities } from '../data/recordings.ts'
import { ANSWER, machineSpoken, QUESTION, type SpokenVideo, spokenVideo } from '../data/spoken-video.ts'
import { treeCpuSeconds } from '../measure/process-usage.ts'
import type { Row } from '../measure/report.ts'
import { median } from '../measure/statistics.ts'
import { rateText, wordErrors } from '../measure/word-errors.ts'
import { type S3Face, startS3Face } from '../servers/s3-face.ts'
import type { Scenario } from './scenario.ts'

const BUCKET = 'bench'
const POLL_MS = 25
const SETTLES_WITHIN_MS = 10 * 60_000
const COLLECTIONS = '/api/v2/tenants/default_tenant/databases/default_database/collections'

export const media: Scenario = {
  about:
    'a video of one minute, from its upload to searchable metadata, subtitles, scenes and transcript; word error rate, processor seconds',
  records: [0],
  run: async ({ rounds }, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-media-'))
    try {
      const machine = await machineSpoken(folder)
      const spoken = [machine, ...(await twoCities())]
      report.note('makes the videos')
      const videos = [await spokenVideo(machine, folder, false)]
      for (const one of spoken) videos.push(await spokenVideo(one, folder, true))
      const face = await startS3Face(folder)
      try {
        await face.send('PUT', `/${BUCKET}`)
        const rows: Row[] = []
        for (const [n, video] of videos.entries()) {
          report.note(`voice: ${video.voice}`)
          rows.push(await measure(face, video, n, rounds))
        }
        report.table(`A video of 60 s, ${rounds} uploads, one after the other`, rows)
      } finally {
        await face.stop()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** The first of each kind also starts processes and loads the models. */
async function measure(face: S3Face, video: SpokenVideo, n: number, rounds: number): Promise<Row> {
  const kinds = ['container', 'subtitle', 'scene', ...(video.voice === 'none' ? [] : ['transcript'])]
  const times: number[] = []
  const subtitleTimes: number[] = []
  let firstMs = 0
  let cpuSeconds = 0
  let key = ''
  for (let round = 0; round <= rounds; round++) {
    key = `video/${n}-${round}.mp4`
    const beforeSeconds = treeCpuSeconds(face.pid)
    const startedMs = performance.now()
    await face.send('PUT', `/${BUCKET}/${key}`, video.bytes)
    for (const kind of kinds) {
      await found(face, key, kind)
      if (kind === 'subtitle' && round > 0) subtitleTimes.push(performance.now() - startedMs)
    }
    const ms = performance.now() - startedMs
    if (round === 0) firstMs = ms
    else {
      times.push(ms)
      cpuSeconds += treeCpuSeconds(face.pid) - beforeSeconds
    }
  }
  const written = (await records(face, key, kinds.at(-1) as string)).join(' ')
  const figures = {
    voice: video.voice,
    'video MB': video.bytes.length / 1e6,
    'first searchable after s': firstMs / 1_000,
    'subtitles p50 s': median(subtitleTimes) / 1_000,
    'p50 s': median(times) / 1_000,
    'highest s': Math.max(...times) / 1_000,
    'processor s': cpuSeconds / rounds,
    'server RSS MB': Math.round(face.usage().rssBytes / 1e6),
  }
  if (video.voice === 'none') return { ...figures, 'words wrong': '–', 'question answered': '–' }
  const [said = '', heard = ''] = await normalised([video.said, written])
  return {
    ...figures,
    'words wrong': rateText(wordErrors(said, heard)),
    'question answered': video.voice === 'espeak-ng' ? await isAnswered(face, key) : '–',
  }
}

interface Answer {
  documents: string[]
  metadatas: { start_ms?: number; object_key: string }[]
}

async function post<T>(face: S3Face, path: string, body: object): Promise<T | undefined> {
  const collection = await fetch(`${face.apiUrl}${COLLECTIONS}/${BUCKET}`)
  if (collection.status === 404) return undefined
  const { id } = (await collection.json()) as { id: string }
  const answer = await fetch(`${face.apiUrl}${COLLECTIONS}/${id}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

const whereOf = (key: string, kind: string) => ({ $and: [{ object_key: key }, { kind }] })

/** Documents in the order of their times. */
async function records(face: S3Face, key: string, kind: string): Promise<string[]> {
  const got = await post<Answer>(face, 'get', { where: whereOf(key, kind), include: ['documents', 'metadatas'] })
  const { documents = [], metadatas = [] } = got ?? {}
  const order = documents.map((_, k) => k).sort((a, b) => startOf(metadatas[a]) - startOf(metadatas[b]))
  return order.map((k) => documents[k] as string)
}

const startOf = (metadata: Answer['metadatas'][number] | undefined) => metadata?.start_ms ?? 0

async function found(face: S3Face, key: string, kind: string): Promise<void> {
  for (const endMs = performance.now() + SETTLES_WITHIN_MS; ; ) {
    if ((await records(face, key, kind)).length > 0) return
    const status = await fetch(`${face.apiUrl}/api/siltstone/v1/objects/buckets/${BUCKET}/status?key=${key}`)
    const { progress, steps } = (await status.json()) as { progress: string; steps: Record<string, unknown> }
    const isOver = progress === 'dead' || progress === 'done' || performance.now() > endMs
    if (isOver && (await records(face, key, kind)).length === 0)
      throw new Error(`${key} is ${progress} without a record of the kind ${kind}: ${JSON.stringify(steps)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Whether the best passage of the transcript is the one with the answer. */
async function isAnswered(face: S3Face, key: string): Promise<string> {
  const asked = { query_texts: [QUESTION], n_results: 1, where: whereOf(key, 'transcript'), include: ['documents'] }
  const answer = await post<{ documents: string[][] }>(face, 'query', asked)
  return ANSWER.test(answer?.documents[0]?.[0] ?? '') ? 'yes' : 'no'
}
