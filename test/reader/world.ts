/** What the hosts serve: a store with the records of the checks, the same published, texts published, and a page. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { records } from '@siltstone/reader/testing'
import { build } from 'esbuild'
import { openStore } from 'siltstone'
import type { ReadFile } from './static-host.ts'

const MAIN = fileURLToPath(new URL('../../packages/siltstone/src/cli/main.ts', import.meta.url))

/** None shares a word with the question that it answers in `main.ts`. */
const NOTES = {
  silt: 'Sediment settles where the water slows down.',
  bread: 'Beat two eggs with sugar and flour.',
  invoice: 'The bill AB-1234 is due in thirty days.',
}

export interface World {
  read: ReadFile
  close(): Promise<void>
}

/** A built site. */
const SITE = {
  'index.html': '<title>Home</title><main>Welcome. <a href="guide/rivers.html">Rivers</a></main>',
  'guide/rivers.html': `<title>Rivers</title><nav>Home</nav><main><h1>Rivers</h1><p>They run to the sea.</p>
    <h2 id="mud">Mud</h2><p data-pagefind-filter="topic:geology">Sediment settles where the water slows down.</p></main>`,
}

/** Records are written by others. */
export const HOSTILE = [
  '<img src=x onerror="window.hacked = 1"><script>window.hacked = 2</script>',
  'javascript:window.hacked=3',
  'data:text/html,<script>window.hacked=4</script>',
  '\u202eright to left \u05e9\u05dc\u05d5\u05dd',
]

/** A page with a search box, and one of another direction. */
const searchPage = (dir: string, attribute = '') =>
  `<!doctype html><html lang="en" dir="${dir}"><meta charset="utf-8"><title>Search</title><link rel="icon" href="data:,">` +
  '<script type="module" src="/texts/siltstone-search.js"></script>' +
  `<main><h1>Search</h1><siltstone-search label="Search the notes" limit="4" ${attribute}></siltstone-search></main>`

const PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Reader</title><link rel="icon" href="data:,">'

export async function makeWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-reader-'))
  const store = await openStore(join(directory, 'store'), { compaction: 'off' })
  const things = await store.createCollection({ name: 'things', embeddingFunction: null })
  const all = records()
  await things.add({
    ids: all.map(({ id }) => id),
    embeddings: all.map(({ embedding }) => embedding),
    documents: all.map(({ document }) => document),
    metadatas: all.map(({ metadata }) => metadata),
    uris: all.map(({ uri }) => uri),
  })
  await things.compact()
  const notes = await store.createCollection({ name: 'notes' })
  await notes.add({
    ids: Object.keys(NOTES),
    documents: Object.values(NOTES),
    metadatas: Object.keys(NOTES).map((id) => ({ url: `/notes/${id}`, title: `About ${id}`, topic: id })),
  })
  await notes.add({
    ids: HOSTILE.map((_, i) => `hostile-${i}`),
    documents: HOSTILE.map((text) => `${text} quicksand`),
    metadatas: HOSTILE.map((text) => ({ url: text, title: text })),
  })
  await store.close()
  for (const [name, folder] of [
    ['things', 'pages'],
    ['notes', 'texts'],
  ] as const)
    execFileSync(process.execPath, [
      MAIN,
      'publish',
      name,
      '--data',
      join(directory, 'store'),
      '--out',
      join(directory, folder),
    ])
  const pages = {
    'index.html': PAGE,
    'search.html': searchPage('ltr'),
    'rtl.html': searchPage('rtl'),
    'offline.html': searchPage('ltr', 'offline'),
  }
  const files = new Map<string, Uint8Array>([
    ...Object.entries(pages).map(([name, text]): [string, Uint8Array] => [name, new TextEncoder().encode(text)]),
    ...(await pageModules()),
  ])
  for (const [name, html] of Object.entries(SITE)) {
    await mkdir(join(directory, 'site', dirname(name)), { recursive: true })
    await writeFile(join(directory, 'site', name), html)
  }
  execFileSync(process.execPath, [MAIN, 'publish', '--site', join(directory, 'site'), '--base', '/site'])
  return {
    read: async (path) => {
      const known = files.get(path)
      if (known) return known
      const inside = normalize(path)
      if (!/^(store|pages|texts|site)\//.test(inside)) return undefined
      return readFile(join(directory, inside)).catch(() => undefined)
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

/** @param entryPoints modules to bundle, by name; default: `page.ts` */
export async function pageModules(
  entryPoints: Record<string, string> = { page: fileURLToPath(new URL('page.ts', import.meta.url)) },
): Promise<[string, Uint8Array][]> {
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    outdir: '/',
    write: false,
  })
  return outputFiles.map(({ path, contents }) => [path.slice(1), contents])
}
