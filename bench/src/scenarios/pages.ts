/**
 * Search in a page: bytes, requests and time of first and further queries in Chromium, over HTTP/2 with a delay, beside Pagefind
 * on the same passages, each as a page of its own. Both are used through the functions of `pagefind.js`.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Dataset } from '../data/dataset.ts'
import { queryTexts } from '../data/passages.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'
import { startPageHost } from '../pages/host.ts'
import { openPagefind } from '../pages/pagefind.ts'
import { PassageFolder, urlOf } from '../pages/passage-folder.ts'
import { SCRATCH } from '../places.ts'
import type { Scenario } from './scenario.ts'

const RESULTS = 10
/** Visits with an empty cache, each with this many queries. */
const VISITS = 10
const QUERIES = 4
/** Of the rounds. A busy browser may make two rounds of one. */
const ROUND_VISITS = 5
const QUIET_MS = 300

export const pages: Scenario = {
  about: 'search in a page, beside Pagefind: bytes and requests of first and further queries in Chromium',
  records: [1_000, 10_000],
  run: async (options, report, open) => {
    const data = open()
    const folder = join(SCRATCH, `pages-${data.count}`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Search</title><link rel="icon" href="data:,">')
    const passages = await PassageFolder.open(data, join(folder, 'siltstone'))
    await passages.publish()
    await passages.close()
    await pagefindIndex(data, join(folder, 'pagefind'))
    const texts = queryTexts(options.data ?? '', VISITS * QUERIES)
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    const rows: Row[] = []
    for (const name of ['siltstone', 'pagefind'])
      rows.push(await visits(browser, { name, folder, texts, delayMs: options.delayMs }))
    const rounds = await roundsOf(browser, folder, texts)
    await browser.close()
    report.table('Rounds of requests of the search box, each of which needs an answer of the one before', rounds)
    report.table(`Search in a page, ${data.name}, ${options.delayMs} ms a request, HTTP/2`, rows)
  },
}

/**
 * A visitor focuses the box; when nothing more is fetched, a text is pasted, then a further one. Another visitor types all words but the
 * last, waits until nothing more is fetched, and types the last one. A third one has written a text before anything was there.
 */
async function roundsOf(browser: Browser, folder: string, texts: readonly string[]): Promise<Row[]> {
  writeFileSync(
    join(folder, 'box.html'),
    '<!doctype html><title>Search</title><link rel="icon" href="data:,">' +
      '<script type="module" src="/siltstone/siltstone-search.js"></script><siltstone-search limit="10"></siltstone-search>',
  )
  const host = await startPageHost(folder, { delayMs: 0, quietMs: QUIET_MS })
  const counts = new Map<string, number[]>()
  const count = (what: string, rounds: number) => counts.set(what, [...(counts.get(what) ?? []), rounds])
  const visit = async (run: (page: Page) => Promise<void>) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.goto(`${host.origin}/box.html`)
    await page.waitForFunction("customElements.get('siltstone-search') !== undefined")
    host.take()
    await run(page)
    await context.close()
  }
  /** @returns rounds since the last call */
  const settled = async (page: Page): Promise<number> => {
    let rounds = 0
    for (let more = 1; more > 0; rounds += more) {
      await page.waitForTimeout(3 * QUIET_MS)
      more = host.take().rounds
    }
    return rounds
  }
  const focus = (page: Page) => page.evaluate("document.querySelector('siltstone-search').focus()")
  const asked = async (page: Page, text: string): Promise<number> => {
    await page.evaluate(`document.querySelector('siltstone-search').search(${JSON.stringify(text)})`)
    return host.take().rounds
  }
  for (let number = 0; number < ROUND_VISITS; number++) {
    const [text = '', next = ''] = [texts[number], texts[ROUND_VISITS + number]]
    await visit(async (page) => {
      await focus(page)
      count('of the focus', await settled(page))
      count('of a text that is pasted then', await asked(page, text))
      count('of a further text', await asked(page, next))
    })
    await visit(async (page) => {
      await focus(page)
      await settled(page)
      await page.keyboard.insertText(text.replace(/\S+\s*$/, ''))
      await settled(page)
      count('of the last word that is typed', await asked(page, text))
    })
    await visit(async (page) => {
      count('of a text that was there before the focus', await asked(page, text))
    })
  }
  await host.close()
  return [...counts].map(([what, list]) => ({
    rounds: what,
    least: Math.min(...list),
    mean: mean(list),
    most: Math.max(...list),
    'mean at 50 ms a round, ms': mean(list) * 50,
    visits: list.length,
  }))
}

interface Visiting {
  name: string
  folder: string
  texts: readonly string[]
  delayMs: number
}

interface Asked {
  kilobytes: number
  requests: number
  ms: number
  hits: number
}

async function visits(browser: Browser, { name, folder, texts, delayMs }: Visiting): Promise<Row> {
  const host = await startPageHost(folder, { delayMs })
  const firsts: Asked[] = []
  const nexts: Asked[] = []
  for (let visit = 0; visit < VISITS; visit++) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.goto(`${host.origin}/index.html`)
    host.take()
    for (let i = 0; i < QUERIES; i++) {
      const { ms, hits } = await page.evaluate(ask, {
        module: `/${name}/pagefind.js`,
        text: texts[visit * QUERIES + i] ?? '',
        results: RESULTS,
      })
      const { bytes, requests } = host.take()
      ;(i === 0 ? firsts : nexts).push({ kilobytes: bytes / 1_000, requests, ms, hits })
    }
    await context.close()
  }
  await host.close()
  const files = readdirSync(join(folder, name), { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const sizes = files.map((one) => statSync(join(one.parentPath, one.name)).size)
  const meanOf = (list: readonly Asked[], field: keyof Asked) => mean(list.map((one) => one[field]))
  return {
    'searched by': name,
    'first query KB': meanOf(firsts, 'kilobytes'),
    requests: meanOf(firsts, 'requests'),
    ms: meanOf(firsts, 'ms'),
    'next query KB': meanOf(nexts, 'kilobytes'),
    'next requests': meanOf(nexts, 'requests'),
    'next ms': meanOf(nexts, 'ms'),
    'queries without a result': [...firsts, ...nexts].filter(({ hits }) => hits === 0).length,
    queries: firsts.length + nexts.length,
    files: files.length,
    'folder MB': megabytes(sizes.reduce((sum, size) => sum + size, 0)),
  }
}

/** Runs in the page: a search, with the data of its first results. */
async function ask({ module, text, results }: { module: string; text: string; results: number }) {
  const startedMs = performance.now()
  const pagefind = (await import(module)) as {
    init?: () => Promise<void>
    search(text: string): Promise<{ results: { data(): Promise<unknown> }[] }>
  }
  await pagefind.init?.()
  const answer = await pagefind.search(text)
  await Promise.all(answer.results.slice(0, results).map((result) => result.data()))
  return { ms: performance.now() - startedMs, hits: answer.results.length }
}

async function pagefindIndex(data: Dataset, folder: string): Promise<void> {
  const records = Array.from({ length: data.count }, (_, row) => ({
    url: urlOf(data, row),
    content: data.document(row),
    language: 'en',
    meta: { title: data.id(row) },
  }))
  await (await openPagefind()).indexRecords(records, folder)
}
