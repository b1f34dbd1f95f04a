/**
 * `npm run demo:objects [-- --once]`: starts a server with the S3 face on a temporary directory, uploads documents and a short
 * video through it, shows how they become searchable, asks questions, and deletes one object. It needs no network.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environmentVariables, type ObjectStatus, onStopSignal, systemClock } from 'siltstone/internal'
import type { Objects } from '../objects.ts'
import { openObjects } from '../open-objects.ts'
import { DOCUMENTS, QUESTIONS, SUBTITLES } from './documents.ts'
import { findFfmpeg, makeVideo } from './video.ts'

const BUCKET = 'media'
const POLL_MS = 100
const WAIT_MS = 120_000

const say = (text: string) => void process.stdout.write(`${text}\n`)

interface Server {
  url: string
  keys: string
  child: ChildProcess
}

async function start(data: string, ffmpeg: string | undefined): Promise<Server> {
  const cli = fileURLToPath(new URL('src/cli/main.ts', import.meta.resolve('siltstone/package.json')))
  const child = spawn(
    process.execPath,
    [cli, 'serve', '--data', data, '--port', '0', '--objects', '--objects-port', '0', '--json', '--log-level', 'error'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...environmentVariables(), ...(ffmpeg !== undefined && { SILTSTONE_FFMPEG: ffmpeg }) },
    },
  )
  let out = ''
  const { url, keysFile, processing } = await new Promise<{ url: string; keysFile: string; processing: string }>(
    (resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${out}`)))
      child.stdout?.on('data', (text: Buffer) => {
        out += text.toString()
        if (out.endsWith('}\n')) resolve((JSON.parse(out) as { objects: never }).objects)
      })
    },
  )
  child.removeAllListeners('exit')
  if (processing !== 'on') throw new Error(`objects are not processed: ${processing}`)
  return { url, keys: await readFile(keysFile, 'utf8'), child }
}

/** A PUT of S3, with a signed URL. */
async function upload(objects: Objects, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const signed = await objects.presign({ method: 'put', key, sizeBytes: bytes.length, expiresInMs: 60_000 })
  const answer = await fetch((signed as { url: string }).url, { method: 'PUT', body: bytes })
  if (!answer.ok) throw new Error(`the upload of ${key} was answered ${answer.status}: ${await answer.text()}`)
  say(`  PUT ${BUCKET}/${key}  ${bytes.length} bytes`)
}

/** Prints each change of a state until all are final. */
async function watch(objects: Objects, keys: readonly string[]): Promise<ObjectStatus[]> {
  const shown = new Map<string, string>()
  const startedMs = systemClock.monotonicMs()
  for (;;) {
    const all = await Promise.all(keys.map((key) => objects.status(key)))
    for (const { key, progress, step, records, error } of all) {
      const why = error === undefined ? '' : `: ${error.code}`
      const what =
        progress === 'running' ? `running (${step})` : progress === 'done' ? `done, ${records} records` : progress + why
      if (shown.get(key) === what) continue
      shown.set(key, what)
      say(`  ${((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1).padStart(5)} s  ${key}  ${what}`)
    }
    if (all.every(({ progress }) => progress === 'done' || progress === 'dead' || progress === 'gone')) return all
    if (systemClock.monotonicMs() - startedMs > WAIT_MS) throw new Error(`not done after ${WAIT_MS} ms`)
    await systemClock.sleep(POLL_MS)
  }
}

async function ask(objects: Objects, question: string): Promise<string | undefined> {
  const [hit] = await objects.search(question, { nResults: 1 })
  if (hit === undefined) {
    say(`  ${question}\n    nothing was found`)
    return undefined
  }
  const { url } = await hit.open()
  const fragment = new URL(url).hash
  say(`  ${question}\n    ${hit.text.replaceAll(/\s+/g, ' ').slice(0, 110)}`)
  say(`    ${hit.kind} of ${hit.key}${fragment}${hit.heading === undefined ? '' : `, under “${hit.heading}”`}`)
  return hit.key
}

interface Run {
  once: boolean
  folder: string
  stopped: Promise<unknown>
  /** Called before the server runs until somebody stops it. */
  onServing: () => void
  onServer: (server: ChildProcess) => void
}

async function demo({ once, folder, stopped, onServing, onServer }: Run): Promise<void> {
  const data = join(folder, 'data')
  const ffmpeg = await findFfmpeg()
  const server = await start(data, ffmpeg)
  onServer(server.child)
  try {
    await using objects = await openObjects(data, { bucket: BUCKET, url: server.url, keys: server.keys })
    say(`Siltstone object service, S3 at ${server.url}, in ${data}\n\nUploads`)
    const encoder = new TextEncoder()
    const files = new Map(Object.entries(DOCUMENTS).map(([key, text]) => [key, encoder.encode(text)]))
    if (ffmpeg === undefined) {
      say('  Not installed: ffmpeg (no video can be made; the subtitles of a talk stand in for it)')
      files.set('uploads/talk.srt', encoder.encode(SUBTITLES))
    } else files.set('uploads/talk.mp4', new Uint8Array(await makeVideo(ffmpeg, SUBTITLES, folder)))
    for (const [key, bytes] of files) await upload(objects, key, bytes)

    say('\nProcessing')
    const ended = await watch(objects, [...files.keys()])
    for (const { key, steps } of ended)
      for (const [step, { state, reason }] of Object.entries(steps))
        if (state === 'skipped') say(`  Not done for ${key}: ${step} (${reason})`)

    say('\nQuestions')
    for (const question of QUESTIONS) await ask(objects, question)

    const [question = ''] = QUESTIONS
    say('\nDeletion of uploads/rivers.md')
    await objects.delete('uploads/rivers.md', { wait: true })
    const status = await objects.status('uploads/rivers.md')
    say(`  ${status.progress}, ${status.records} records`)
    if ((await ask(objects, question)) === 'uploads/rivers.md') throw new Error('a deleted object was found')
    if (once) return
    say(`\nThe server runs until Ctrl-C. With the access key in ${join(data, '.siltstone', 'objects-keys.json')}:`)
    say(`  aws --endpoint-url ${server.url} s3 cp FILE s3://${BUCKET}/uploads/`)
    say(`  npm run -s siltstone -- query ${BUCKET} --data ${data} --text "your question"`)
    onServing()
    await stopped
  } finally {
    await end(server.child)
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => void child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** Exit code after SIGINT by the convention of shells: 128 + 2. */
const INTERRUPTED = 130

const folder = await mkdtemp(join(tmpdir(), 'siltstone-objects-demo-'))
const stopped = new Promise<'stopped'>((resolve) => void onStopSignal(() => resolve('stopped')))
let child: ChildProcess | undefined
let isServing = false
try {
  const run = demo({
    once: process.argv.includes('--once'),
    folder,
    stopped,
    onServing: () => void (isServing = true),
    onServer: (server) => void (child = server),
  })
  const how = await Promise.race([run.then(() => 'done' as const), stopped])
  if (how === 'done' || isServing) say('\nDone.')
  else process.exitCode = INTERRUPTED
} finally {
  await end(child)
  await rm(folder, { recursive: true, force: true })
}
process.exit()
