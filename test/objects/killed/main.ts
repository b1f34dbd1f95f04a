/**
 * `node test/objects/killed/main.ts [--files 1000] [--kills 100] [--seed 1]`: uploads, overwrites and deletes files of mixed
 * kinds in a directory while its worker (`siltstone objects work`) is killed with SIGKILL again and again, and then looks at
 * what is left: each object is done or dead with the right reason, its records are those that a worker makes which nobody
 * kills, none is there twice, deleted objects have none, and no temporary folder is left. Prints counts, and ends with "N passed, N failed".
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Objects, openObjects } from '@siltstone/objects'
import { openStore } from 'siltstone'
import { seededRandom } from 'siltstone/internal'
import { fileOf, type TestFile } from './files.ts'

const CLI = fileURLToPath(new URL('../../../packages/siltstone/src/cli/main.ts', import.meta.url))
const BUCKET = 'media'
/** A worker lives this long after it has said that it runs; one in four is killed on its way there. */
const LIFE_MS = { shortest: 100, longest: 4_000 }
const START_WITHIN_MS = 60_000
const SETTLES_WITHIN_MS = 30 * 60_000

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
})
const [files, kills, seed] = [values.files, values.kills, values.seed].map(Number) as [number, number, number]
const random = seededRandom(seed)
const below = (n: number) => Math.floor(random.next() * n)
const say = (text: string) => void process.stdout.write(`${text}\n`)
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The end of what workers wrote. */
let lastWords = ''

function startWorker(data: string, ...more: string[]): ChildProcess {
  const args = [CLI, 'objects', 'work', `siltstone://${BUCKET}/`, '--data', data, ...more]
  const worker = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: scratch },
  })
  worker.stderr.on('data', (text: Buffer) => (lastWords = (lastWords + text.toString()).slice(-2_000)))
  return worker
}

/** Resolves when the worker says that it runs, or has ended. */
async function running(worker: ChildProcess): Promise<void> {
  const said = new Promise<void>((resolve) => {
    worker.stderr?.on('data', (text: Buffer) => {
      if (text.includes('The worker runs')) resolve()
    })
  })
  await Promise.race([said, once(worker, 'exit'), sleep(START_WITHIN_MS)])
}

/** How many of the runs so far were cut off in the middle, of all objects. */
async function cutOff(objects: Objects): Promise<number> {
  let count = 0
  for await (const { progress, history } of objects.statuses()) {
    count += history.filter(({ ended }) => ended === 'superseded').length
    if (progress === 'running') count++
  }
  return count
}

/** Works until nothing is left, as claims of killed workers and retries come due. */
async function settle(data: string, objects: Objects): Promise<void> {
  for (const endMs = Date.now() + SETTLES_WITHIN_MS; ; await sleep(2_000)) {
    const [code] = (await once(startWorker(data, '--once'), 'exit')) as [number | null]
    if (code !== 0) throw new Error(`the worker that nobody kills ended with ${code}: ${lastWords}`)
    let open = 0
    for await (const { progress } of objects.statuses()) if (!['done', 'dead', 'gone'].includes(progress)) open++
    if (open === 0) return
    if (Date.now() > endMs) throw new Error(`${open} objects are neither done nor dead`)
  }
}

/** Texts of the records of each object, sorted, with the version that they are of. */
async function recordsByKey(data: string): Promise<Map<string, { texts: string[]; versions: Set<unknown> }>> {
  await using store = await openStore(data)
  const collection = await store.getCollection({ name: BUCKET })
  const { documents, metadatas } = await collection.get({ include: ['documents', 'metadatas'] })
  const found = new Map<string, { texts: string[]; versions: Set<unknown> }>()
  for (const [k, metadata] of metadatas.entries()) {
    const key = metadata?.['object_key'] as string
    const one = found.get(key) ?? { texts: [], versions: new Set() }
    one.texts.push(documents[k] ?? '')
    one.versions.add(metadata?.['object_version'])
    found.set(key, one)
  }
  for (const { texts } of found.values()) texts.sort()
  return found
}

const folder = await mkdtemp(join(tmpdir(), 'siltstone-killed-objects-'))
const data = join(folder, 'killed')
const calm = join(folder, 'calm')
/** The temporary directory of the workers. */
const scratch = join(folder, 'tmp')
await mkdir(scratch)
const wanted = new Map<string, TestFile>()
const problems: string[] = []
let changes = 0
const startedMs = performance.now()
try {
  const objects = await openObjects(data, { bucket: BUCKET })
  const upload = async (n: number, revision: number) => {
    const file = fileOf(n, revision)
    await objects.put(file.key, file.bytes)
    wanted.set(file.key, file)
    changes++
  }
  const remove = async (n: number) => {
    const { key } = fileOf(n, 0)
    await objects.delete(key)
    wanted.delete(key)
    changes++
  }
  let uploaded = 0
  let killed = 0
  for (let round = 0; round < kills; round++) {
    const worker = startWorker(data)
    const ended = once(worker, 'exit')
    const lifeMs = LIFE_MS.shortest + below(LIFE_MS.longest - LIFE_MS.shortest)
    const started = round % 4 === 3 ? Promise.resolve() : running(worker)
    const due = Math.ceil((files * (round + 1)) / kills)
    while (uploaded < due) await upload(uploaded++, 0)
    for (let k = 0; k < 3; k++) await upload(below(uploaded), round + 1)
    if (round % 3 === 0) await remove(below(uploaded))
    await started
    await sleep(lifeMs)
    if (worker.kill('SIGKILL')) killed++
    const [, signal] = (await ended) as [number | null, string | null]
    if (signal !== 'SIGKILL') problems.push(`worker ${round} ended by itself`)
  }
  const cut = await cutOff(objects)
  say(
    `${uploaded} files, ${changes} changes, ${killed} workers killed, ${cut} runs of objects cut off, ${wanted.size} objects left`,
  )
  await settle(data, objects)

  const reference = await openObjects(calm, { bucket: BUCKET })
  for (const { key, bytes } of wanted.values()) await reference.put(key, bytes)
  await settle(calm, reference)
  await reference.close()

  const [found, expected] = [await recordsByKey(data), await recordsByKey(calm)]
  const counts = { done: 0, dead: 0, records: 0 }
  for (const { key, deadWith } of wanted.values()) {
    const { progress, error, records, version } = await objects.status(key)
    const { texts, versions } = found.get(key) ?? { texts: [], versions: new Set() }
    counts.records += texts.length
    if (progress === 'done') counts.done++
    else counts.dead++
    if (deadWith === undefined ? progress !== 'done' : progress !== 'dead' || error?.code !== deadWith)
      problems.push(`${key} is ${progress} ${error?.code ?? ''}, not ${deadWith ?? 'done'}`)
    if (texts.length !== records) problems.push(`${key} has ${texts.length} records, its state says ${records}`)
    if (JSON.stringify(texts) !== JSON.stringify(expected.get(key)?.texts ?? []))
      problems.push(`${key} has other records than without kills: ${texts.length}`)
    if (texts.length > 0 && (versions.size !== 1 || !versions.has(version)))
      problems.push(`${key} has records of another version`)
  }
  // The last worker, which nobody killed, has removed what the others left.
  for (const name of await readdir(scratch)) if (name.startsWith('siltstone-objects-')) problems.push(`${name} is left`)
  for (const key of found.keys()) if (!wanted.has(key)) problems.push(`${key} was deleted and has records`)
  await objects.close()
  say(
    `${counts.done} done, ${counts.dead} dead with a reason, ${counts.records} records, ${Math.round((performance.now() - startedMs) / 1_000)} s`,
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
for (const problem of problems.slice(0, 20)) say(`FAILED ${problem}`)
say(problems.length === 0 ? '1 passed, 0 failed' : `0 passed, ${problems.length} failed`)
process.exitCode = problems.length === 0 ? 0 : 1
