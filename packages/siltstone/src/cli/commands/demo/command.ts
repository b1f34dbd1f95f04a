import type { Command } from 'commander'
import { DEFAULT_DATABASE, DEFAULT_TENANT } from '../../../catalog/index.ts'
import { isSiltstoneError } from '../../../errors.ts'
import { newConfiguration } from '../../../library/configuration.ts'
import { makeTemporaryDirectory, removeTree } from '../../../host/files.ts'
import { exitNow, onStopSignal, outTerminal } from '../../../host/process.ts'
import { systemClock } from '../../../host/system-clock.ts'
import { port } from '../../arguments.ts'
import { command } from '../../command.ts'
import { bytes, count, duration, plural } from '../../format.ts'
import { Output } from '../../output.ts'
import { type CommonOptions, Session, withOutputOptions } from '../../session.ts'
import { type ServeOptions, startServing } from '../serve.ts'
import { type Answer, answersText, ask } from './answer.ts'
import { type BucketLine, bucketLines, bucketText } from './bucket.ts'
import { embedAll, writeAll } from './fill.ts'
import { type Passage, passagesOf } from '../../../ingest/index.ts'
import { hybridQuestion, questionsAbout } from './questions.ts'
import { ownDocuments, packageDocuments } from './sources.ts'
import { Steps } from './steps.ts'
import { askThreeWays, type ThreeWays, threeWaysText } from './three-ways.ts'

interface DemoOptions {
  once?: boolean
  port?: number
  data?: string
  json?: boolean
  debug?: boolean
}

const COLLECTION = 'docs'
const DEFAULT_PORT = 8000
const MAX_PASSAGES = 20_000
/** Exit code after SIGINT by the convention of shells: 128 + 2. */
const INTERRUPTED = 130

export function demoCommand(): Command {
  const made = command('demo [folder]', 'show the whole path: files, passages, deltas, a snapshot, answers, a server', [
    'demo',
    'demo ~/notes',
    'demo --once --data ./demo-store',
  ])
  return withOutputOptions(made)
    .option('--once', 'stop after the answers instead of serving')
    .option('--port <port>', `serve on this port (default ${DEFAULT_PORT}, or a free one)`, port)
    .option('--data <directory>', 'keep the store here (default: a temporary directory, removed at the end)')
    .action(demo)
}

async function demo(folder: string | undefined, options: DemoOptions): Promise<void> {
  const out = new Output(options)
  const data = options.data ?? (await makeTemporaryDirectory('siltstone-demo-'))
  const discard = async () => {
    if (options.data === undefined) await removeTree(data)
  }
  const ignoreSignals = onStopSignal(() => void discard().finally(() => exitNow(INTERRUPTED)))
  try {
    const steps = new Steps(out, systemClock)
    const shown = await fillAndAsk(folder, { ...options, data }, steps)
    ignoreSignals()
    await printShown(shown, steps, options.data)
    if (options.once) await out.answer({ data, ...shown, steps: steps.times }, () => 'Done.\n')
    else await serve({ ...options, data }, out)
  } finally {
    // Before any other output: if the reader of stdout is gone, the next write ends the process.
    await discard()
  }
  if (!options.once)
    await out.note(options.data === undefined ? 'Stopped; the temporary store is removed.' : 'Stopped.')
}

interface Shown {
  answers: Answer[]
  threeWays?: ThreeWays
  bucket: BucketLine[]
}

async function fillAndAsk(
  folder: string | undefined,
  options: DemoOptions & { data: string },
  steps: Steps,
): Promise<Shown> {
  const common: CommonOptions = { ...options, tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE }
  await steps.say(`\nSiltstone demo, in ${options.data}\n\n`)
  const shown: Shown = { answers: [], bucket: [] }
  await Session.use(common, { create: true }, async (session) => {
    const passages = await collectPassages(folder, steps)
    const info = await makeCollection(session)
    const embedder = session.registry.default
    await writeAll(steps, session, info, await embedAll(steps, embedder, passages))
    const questions = questionsAbout(passages, folder !== undefined)
    shown.answers = await ask(session, info, embedder, questions)
    const hybrid = hybridQuestion(questions, folder !== undefined)
    if (hybrid !== undefined) shown.threeWays = await askThreeWays(session, info, embedder, hybrid)
    shown.bucket = await bucketLines(session.env.store)
  })
  return shown
}

async function collectPassages(folder: string | undefined, steps: Steps): Promise<Passage[]> {
  const passages: Passage[] = []
  await steps.run('read', async () => {
    const sources = folder === undefined ? await packageDocuments() : await ownDocuments(folder)
    for (const file of sources.files) passages.push(...passagesOf(file))
    const found = passages.length
    passages.splice(MAX_PASSAGES)
    const packages = new Set(sources.files.map(({ packageName }) => packageName)).size
    const whose = folder === undefined ? ` of ${plural(packages, 'npm package')} installed here` : ` of ${folder}`
    const omitted = [
      ...(sources.omitted > 0 ? [`${count(sources.omitted)} more files were skipped to keep the demo short`] : []),
      ...(found > MAX_PASSAGES ? [`${count(found - MAX_PASSAGES)} more passages were skipped`] : []),
      ...(sources.duplicates > 0 ? [`${count(sources.duplicates)} files were copies`] : []),
    ]
    return (
      `${plural(sources.files.length, 'file')}${whose}, ${bytes(sources.bytes)}: ${plural(passages.length, 'passage')}` +
      (omitted.length > 0 ? `; ${omitted.join('; ')}` : '')
    )
  })
  return passages
}

async function makeCollection(session: Session) {
  const { info } = await session.engine.catalog.createCollection({
    tenant: DEFAULT_TENANT,
    database: DEFAULT_DATABASE,
    name: COLLECTION,
    getOrCreate: true,
    metadata: null,
    schema: null,
    ...newConfiguration({ configuration: { hnsw: { space: 'cosine' } } }),
  })
  return info
}

async function printShown(shown: Shown, steps: Steps, kept: string | undefined): Promise<void> {
  const columns = outTerminal()?.columns ?? 100
  await steps.say(
    `\nQuestions, with the passages nearest in meaning (with distances)\n\n${answersText(shown.answers, columns)}\n`,
  )
  if (shown.threeWays)
    await steps.say(
      `One question asked three ways, and why the answers differ: each passage’s place by meaning and by words, and what\neach word adds to its BM25\n\n${threeWaysText(shown.threeWays)}\n`,
    )
  await steps.say(`The objects in the bucket${kept === undefined ? '' : `, ${kept}`}\n\n${bucketText(shown.bucket)}\n`)
  const total = steps.times.reduce((sum, { ms }) => sum + ms, 0)
  await steps.say(
    `Time: ${steps.times.map(({ step, ms }) => `${step} ${duration(ms)}`).join(', ')}; ${duration(total)} in total\n\n`,
  )
}

async function serve(options: DemoOptions & { data: string }, out: Output): Promise<void> {
  const serveOptions: ServeOptions = {
    data: options.data,
    host: '127.0.0.1',
    port: options.port ?? DEFAULT_PORT,
    compaction: true,
    console: true,
    cacheMb: 160,
    queryThreads: 0,
    warmUpMs: 0,
    logLevel: options.debug ? 'info' : 'error',
  }
  const serving = await startServing(serveOptions).catch((error: unknown) => {
    // Only the default port may be replaced by a free one.
    if (options.port !== undefined || !isSiltstoneError(error) || error.code !== 'port-in-use') throw error
    return startServing({ ...serveOptions, port: 0 })
  })
  const { hostname, port: number } = new URL(serving.url)
  await out.answer({ url: serving.url, data: options.data, collection: COLLECTION }, () =>
    [
      `The store is served at ${serving.url} (Chroma’s API; docs at ${serving.url}/docs). Stop with Ctrl-C.`,
      '',
      '  JavaScript  import { ChromaClient } from "chromadb"',
      `              const client = new ChromaClient({ host: "${hostname}", port: ${number} })`,
      `  Python      import chromadb; client = chromadb.HttpClient(host="${hostname}", port=${number})`,
      `  Shell       siltstone query ${COLLECTION} --data ${options.data} --text "your question" --hybrid --explain`,
      '              (from a clone: npm run -s siltstone -- query …)',
      '',
    ].join('\n'),
  )
  await serving.untilStopped()
}
