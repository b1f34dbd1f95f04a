/** Stores with known records, a server over them, and pages that report everything they should not do. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { openObjects } from '@siltstone/objects'
import { openStore } from 'siltstone'
import { fillRegistry, openHub, untilRated } from './registry.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'packages/siltstone/src/cli/main.ts')
export const MANY = 100_000
const hub = await openHub()

export const HOSTILE = [
  '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">',
  `right to left \u202e over\u202e ride`,
  'javascript:window.hacked=3',
  'y'.repeat(1_000_000),
]

export const TOKENS = [
  { token: 'admin-token', user: 'ada', role: 'admin', tenants: ['*'] },
  { token: 'read-token', user: 'eve', role: 'read', tenants: ['default_tenant'] },
]

/** Records in `notes` (some hostile), history, and `many` with 100,000 rows. */
async function fill(directory: string): Promise<void> {
  const store = await openStore(directory, { compaction: 'off' })
  const notes = await store.createCollection({ name: 'notes', configuration: { hnsw: { space: 'cosine' } } })
  const topics = ['rivers carry silt', 'granite is hard', 'bread needs flour', 'chess has knights']
  const ids = Array.from({ length: 60 }, (_, i) => `note-${i}`)
  await notes.upsert({
    ids,
    documents: ids.map((_, i) => `${topics[i % 4]}, said note ${i}`),
    metadatas: ids.map((_, i) => ({ topic: topics[i % 4] as string, n: i, tags: ['a', i % 2 === 0 ? 'even' : 'odd'] })),
  })
  await notes.upsert({
    ids: HOSTILE.map((_, i) => `hostile-${i}`),
    documents: HOSTILE,
    metadatas: HOSTILE.map((text) => ({ ['<b>key</b>']: text.slice(0, 300) })),
    uris: HOSTILE.map(() => 'javascript:window.hacked=4'),
  })
  await notes.compact()
  await notes.delete({ ids: ['note-0', 'note-4'] })
  await notes.compact()
  const many = await store.createCollection({ name: 'many' })
  for (let from = 0; from < MANY; from += 20_000) {
    const batch = Array.from({ length: 20_000 }, (_, i) => from + i)
    await many.upsert({
      ids: batch.map((i) => `row-${i}`),
      embeddings: batch.map((i) => [Math.cos(i), Math.sin(i)]),
      documents: batch.map((i) => `the document of row ${i}`),
      metadatas: batch.map((i) => ({ part: i % 7 })),
    })
  }
  await many.compact()
  await store.close()
}

/** Objects of which one cannot be read; the server makes them searchable. */
async function fillObjects(directory: string): Promise<void> {
  await using media = await openObjects(directory, { bucket: 'media' })
  await media.put('notes/rivers.md', new TextEncoder().encode('# Rivers\n\nRivers carry silt to the sea.\n'))
  await media.put('notes/broken.pdf', new TextEncoder().encode('%PDF-1.7\nnothing that a reader could read'))
  await media.put('<b>bold</b>.txt', new TextEncoder().encode('A key that is no markup.'))
}

async function untilProcessed(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/siltstone/v1/objects/status`)
    const { objects } = (await answer.json()) as { objects: { progress: string }[] }
    if (objects.length > 0 && objects.every(({ progress }) => progress === 'done' || progress === 'dead')) return
    await setTimeout(100)
  }
}

export interface World {
  browser: Browser
  url: string
  lockedUrl: string
  /** A server below a path prefix. */
  prefixedUrl: string
  /** A server with objects and a registry. */
  objectsUrl: string
  close(): Promise<void>
}

export async function openWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-console-'))
  const data = join(directory, 'store')
  await fill(data)
  const tokens = join(directory, 'tokens.json')
  await writeFile(tokens, JSON.stringify(TOKENS))
  const media = join(directory, 'media')
  await fillObjects(media)
  const servers = await Promise.all([
    serve(data),
    serve(data, '--tokens', tokens),
    serve(data, '--path-prefix', '/a/vectors'),
    serve(media, '--objects', '--objects-port', '0', '--registry', '--registry-port', '0'),
  ])
  await untilProcessed(servers[3].url)
  await fillRegistry(servers[3].registry as { url: string; adminFile: string }, hub)
  await untilRated(servers[3].url)
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: ['--no-sandbox'] })
  return {
    browser,
    url: servers[0].url,
    lockedUrl: servers[1].url,
    prefixedUrl: servers[2].url,
    objectsUrl: servers[3].url,
    async close() {
      await browser.close()
      for (const { child } of servers) child.kill('SIGTERM')
      hub.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

interface Served {
  url: string
  registry?: { url: string; adminFile: string }
  child: ChildProcess
}

function serve(data: string, ...more: string[]): Promise<Served> {
  const quiet = ['--json', '--log-level', 'error', '--no-compaction']
  const child = spawn(process.execPath, [MAIN, 'serve', '--data', data, '--port', '0', ...quiet, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, REGISTRY_HUB_URL: hub.url },
  })
  return new Promise((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      if (/^\}/m.test(out)) resolve({ ...(JSON.parse(out) as Omit<Served, 'child'>), child })
    })
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${out}`)))
  })
}

/** A page, and what it did that it should not do. */
export interface Watched {
  page: Page
  /** Messages of the console that are no information, uncaught errors, dialogs, requests to elsewhere. */
  complaints: string[]
  /** Statuses of answers that are part of the test; the browser reports them. */
  expected?: readonly number[]
}

export async function openPage(
  browser: Browser,
  options: { scheme?: 'light' | 'dark'; width?: number; height?: number } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? 'light',
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const watched: Watched = { page, complaints: [] }
  const own = () => new URL(page.url()).origin
  page.on('console', (message) => {
    const isRefusal = watched.expected?.some((status) => message.text().includes(`status of ${status}`)) ?? false
    if (!['log', 'info', 'debug'].includes(message.type()) && !isRefusal) watched.complaints.push(message.text())
  })
  page.on('pageerror', (error) => watched.complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    watched.complaints.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (page.url() !== 'about:blank' && url.protocol !== 'data:' && url.origin !== own())
      watched.complaints.push(`request to ${request.url()}`)
  })
  return watched
}
