/**
 * How good the answers of a search box in a page are.
 *
 * Of 0 records: 200 plain questions (`pages/questions.tsv`, each with the sections of the product's documentation that answer it),
 * over the documentation site, as `siltstone publish --site` and as Pagefind read it. They were written from the table of contents,
 * before anything was asked, and nothing was tuned to them.
 *
 * Of more: the label task. A query of the data set asks for the package that a passage describes.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { open as openReader, knn } from '@siltstone/reader'
import { tableFromIPC } from 'apache-arrow'
import { chromium } from 'playwright-core'
import type { Dataset } from '../data/dataset.ts'
import { interval } from '../measure/bootstrap.ts'
import type { Report, Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'
import { type FileHost, ORIGIN, startFileHost } from '../pages/file-host.ts'
import { startPageHost } from '../pages/host.ts'
import { PassageFolder } from '../pages/passage-folder.ts'
import { openPagefind } from '../pages/pagefind.ts'
import { BENCH, REPOSITORY, SCRATCH } from '../places.ts'
import type { Options } from '../options.ts'
import type { Scenario } from './scenario.ts'

const RESULTS = 10

export const questions: Scenario = {
  about: 'how good the answers of a search box in a page are, by meaning, by words, by both and beside Pagefind',
  records: [0, 10_000, 100_000],
  run: async (options, report, open) => {
    const data = open()
    await (data.count === 0 ? documentation(report) : labelTask(options, report, data))
  },
}

/** What was found, best first: addresses. */
type Ask = (text: string) => Promise<string[]>

/** A section's address without its ending: `how-to/filter#by-metadata`. */
const sectionOf = (url: string) =>
  decodeURIComponent(url.replace(/^https?:\/\/[^/]+/, ''))
    .replace(/^\//, '')
    .replace(/(?:\.html|\/)(?=#|$)/, '')
const pageOf = (section: string) => section.replace(/#.*$/, '')

async function documentation(report: Report): Promise<void> {
  const site = join(SCRATCH, 'questions-site')
  rmSync(site, { recursive: true, force: true })
  execFileSync(process.execPath, [join(REPOSITORY, 'scripts/docs-site/main.ts'), '--out', site])
  await (await openPagefind()).indexSite(site, join(site, 'pagefind'))
  const asked = readFileSync(join(BENCH, 'src/pages/questions.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([text = '', labels = '']) => ({ text, labels: new Set(labels.split(' ')) }))
  const host = await startFileHost(join(site, 'search'), 0)
  const page = await pagefindIn(site)
  const ways: [string, Ask][] = [
    ...(await waysOf(host)),
    ['Pagefind', page.ask],
    ['Pagefind, without function words', page.askShort],
  ]
  const found = new Map<string, string[][]>()
  for (const [way, ask] of ways) {
    const lists: string[][] = []
    for (const { text } of asked) lists.push((await ask(text)).map(sectionOf))
    found.set(way, lists)
  }
  await page.close()
  for (const [what, of] of [
    ['page', (sections: readonly string[]) => [...new Set(sections.map(pageOf))]],
    ['section', (sections: readonly string[]) => [...new Set(sections)]],
  ] as const) {
    const rights = asked.map(({ labels }) => new Set(of([...labels])))
    const isRight = (section: string, i: number) => {
      const right = rights[i] as Set<string>
      // A label without a section is a whole page.
      return right.has(section) || right.has(pageOf(section))
    }
    report.table(
      `${asked.length} plain questions over the documentation, for the ${what} that answers, MRR@10 with 95 % bootstrap intervals`,
      gains(
        [...found].map(([way, lists]) => [way, lists.map((list) => of(list).slice(0, RESULTS))]),
        isRight,
      ),
    )
  }
}

/** Those of the folder: the search box, and each way alone. */
async function waysOf(host: FileHost): Promise<[string, Ask][]> {
  const collection = await openReader(ORIGIN, { fetch: host.fetch })
  const urls = (metadatas: readonly (object | null)[] | undefined) =>
    (metadatas ?? []).map((one) => String((one as { url?: unknown } | null)?.url))
  return [
    [
      'hybrid, as the search box',
      async (text) =>
        urls((await host.search(text, RESULTS)).map(({ metadata }) => JSON.parse(metadata ?? 'null') as object)),
    ],
    [
      'meaning',
      async (text) =>
        urls((await collection.query({ queryTexts: [text], nResults: RESULTS })).metadatas[0] ?? undefined),
    ],
    [
      'words',
      async (text) => {
        const rank = knn({ query: text, key: '#document', limit: RESULTS })
        const { metadatas } = await collection.search({ rank, limit: RESULTS, select: ['#metadata'] })
        return urls(metadatas[0] ?? undefined)
      },
    ],
  ]
}

/** Words of English that ask and join; Pagefind asks for every word of a text. */
const FUNCTION_WORDS = new Set(
  `a about after again all am an and another any are as at be before by can could do does each else from has have here how i if in into is it its
  long many me my not of off on only or our out over real should so somebody than that the their them then there they this to under up us use
  used using was we what when where which while who why will with without would yesterday's you your`.split(/\s+/),
)

async function pagefindIn(site: string) {
  const host = await startPageHost(site, { delayMs: 0 })
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
  await page.goto(`${host.origin}/index.html`)
  const ask: Ask = (text) => page.evaluate(sectionsOf, { text, results: RESULTS })
  return {
    ask,
    askShort: (text: string) =>
      ask((text.match(/[\p{L}\p{N}'-]+/gu) ?? []).filter((word) => !FUNCTION_WORDS.has(word.toLowerCase())).join(' ')),
    close: async () => {
      await browser.close()
      await host.close()
    },
  }
}

/** Runs in the page: the sections of the first results, each page's in the order that Pagefind gives. */
async function sectionsOf({ text, results }: { text: string; results: number }): Promise<string[]> {
  const module = '/pagefind/pagefind.js'
  const pagefind = (await import(module)) as {
    search(text: string): Promise<{
      results: { data(): Promise<{ url: string; sub_results: { url: string }[] }> }[]
    }>
  }
  const answer = await pagefind.search(text)
  const found = await Promise.all(answer.results.slice(0, results).map((result) => result.data()))
  return found.flatMap(({ url, sub_results: sections }) =>
    sections.length === 0 ? [url] : sections.map((section) => section.url),
  )
}

async function labelTask(options: Options, report: Report, data: Dataset): Promise<void> {
  const packages = new Map(
    Array.from({ length: data.count }, (_, row) => [
      `/${encodeURIComponent(data.id(row))}`,
      (JSON.parse(data.metadata(row)) as { package?: string }).package,
    ]),
  )
  const known = new Set(packages.values())
  const table = tableFromIPC(readFileSync(join(options.data ?? '', 'queries.arrow')))
  const [texts, labels] = [table.getChild('text'), table.getChild('package')]
  const asked = Array.from({ length: table.numRows }, (_, i) => ({
    text: String(texts?.get(i)),
    label: String(labels?.get(i)),
  }))
    .filter(({ label }) => known.has(label))
    .slice(0, options.queries)
  const folder = join(SCRATCH, `questions-${data.count}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const passages = await PassageFolder.open(data, folder)
  await passages.publish()
  await passages.close()
  const host = await startFileHost(folder, 0)
  const lists: [string, string[][]][] = []
  for (const [way, ask] of await waysOf(host)) {
    const found: string[][] = []
    for (const { text } of asked) found.push(await ask(text))
    lists.push([way, found])
  }
  report.table(
    `${asked.length} queries for the package that a passage describes, ${data.name} published, MRR@10 with 95 % bootstrap intervals`,
    gains(lists, (url, i) => packages.get(url) === asked[i]?.label),
  )
}

/** The reciprocal of the first right place, and how much the first way is above each other one. */
function gains(ways: readonly [string, string[][]][], isRight: (found: string, query: number) => boolean): Row[] {
  let first: number[] | undefined
  return ways.map(([way, lists]) => {
    const own = lists.map((list, i) => {
      const place = list.findIndex((found) => isRight(found, i))
      return place < 0 ? 0 : 1 / (1 + place)
    })
    first ??= own
    const over = first.map((gain, i) => gain - (own[i] as number))
    return {
      'searched by': way,
      'MRR@10': mean(own),
      interval: interval(own),
      'hybrid over it': interval(over),
      'right among ten': mean(own.map((gain) => (gain > 0 ? 1 : 0))),
      'without a result': lists.filter((list) => list.length === 0).length,
    }
  })
}
