/** The search box and Pagefind's functions, in a page with a strict policy. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { startHost } from './static-host.ts'
import { HOSTILE, type World } from './world.ts'

type Test = (name: string, run: () => Promise<void>) => Promise<void>

const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:"
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Problems that a checker of accessibility finds, by rule. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const found = (await axe.run()).violations
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
}

export async function testSearchBox(test: Test, browser: Browser, world: World): Promise<void> {
  const host = await startHost(world.read, { csp: CSP })
  const inBox = (name: string, run: (page: Page) => Promise<void>, address = 'search.html') =>
    test(`search box: ${name}`, async () => {
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      try {
        await page.goto(`${host.origin}/${address}`)
        await run(page)
        assert.deepEqual(complaints, [])
      } finally {
        await page.close()
      }
    })
  const box = (page: Page) => page.getByRole('searchbox', { name: 'Search the notes' })
  const asked = async (page: Page, text: string) => {
    await box(page).fill(text)
    await page.getByText(/^(\d+|No) results?$/).waitFor()
  }

  await inBox('loads nothing but itself before it is used', async (page) => {
    const loaded = host.requests.map(({ path }) => path)
    assert.deepEqual(
      loaded.filter((path) => path.includes('data/') || path.endsWith('search.json')),
      [],
    )
    await asked(page, 'why do streams drop mud?')
  })
  await inBox('answers by meaning, with links, and marks words', async (page) => {
    await asked(page, 'why do streams drop mud where water slows?')
    const first = page.getByRole('listitem').first()
    assert.equal(await first.getByRole('link').getAttribute('href'), `${host.origin}/notes/silt`)
    assert.ok((await first.innerText()).includes('About silt'))
    assert.deepEqual(await first.locator('mark').allInnerTexts(), ['where', 'water', 'slows'])
  })
  await inBox('answers exact words', async (page) => {
    await asked(page, 'AB-1234')
    assert.ok((await page.getByRole('listitem').first().innerText()).includes('About invoice'))
  })
  await inBox('is used with the keyboard', async (page) => {
    await page.keyboard.press('Tab')
    // In one piece: results for a part of the word would be replaced while the keys below are pressed.
    await page.keyboard.insertText('dessert')
    await page.getByRole('link').first().waitFor()
    const focused = () =>
      page.evaluate<string>("document.querySelector('siltstone-search').shadowRoot.activeElement.tagName")
    const step = async (key: string) => {
      await page.keyboard.press(key)
      return focused()
    }
    assert.deepEqual(
      [await focused(), await step('ArrowDown'), await step('ArrowDown'), await step('ArrowUp'), await step('ArrowUp')],
      ['INPUT', 'A', 'A', 'A', 'INPUT'],
    )
    assert.equal(await step('ArrowDown'), 'A')
    assert.equal(await step('Escape'), 'INPUT')
    assert.equal(await page.getByRole('link').count(), 0)
  })
  for (const address of ['search.html', 'rtl.html'])
    await inBox(
      `suggests the text that was meant, by keyboard: ${address}`,
      async (page) => {
        await asked(page, 'sedimant settels')
        const suggestion = page.getByRole('button', { name: 'Did you mean sediment settles?' })
        await suggestion.waitFor()
        assert.deepEqual(await violations(page), [])
        assert.match(
          (await page.getByRole('status').textContent()) ?? '',
          /^\d+ results? Did you mean sediment settles\?$/,
        )
        await page.keyboard.press('ArrowDown')
        await page.keyboard.press('Enter')
        await suggestion.waitFor({ state: 'detached' })
        assert.equal(await box(page).inputValue(), 'sediment settles')
        await page.locator('mark', { hasText: 'Sediment' }).first().waitFor()
        assert.ok((await page.getByRole('listitem').first().innerText()).includes('About silt'))
      },
      address,
    )
  for (const address of ['search.html', 'rtl.html'])
    await inBox(
      `is accessible, empty and full: ${address}`,
      async (page) => {
        await box(page).waitFor()
        assert.deepEqual(await violations(page), [])
        await asked(page, 'eggs')
        assert.deepEqual(await violations(page), [])
        await page.setViewportSize({ width: 320, height: 600 })
        assert.ok(await page.evaluate<boolean>('document.documentElement.scrollWidth <= 320'))
      },
      address,
    )
  await inBox('shows hostile records as text, and follows no script', async (page) => {
    await asked(page, 'quicksand')
    const shown = await page.getByRole('listitem').allInnerTexts()
    assert.ok(shown.some((text) => text.includes('<img src=x')))
    for (const link of await page.getByRole('link').all())
      assert.match((await link.getAttribute('href')) ?? '', /^https?:/)
    for (const item of await page.getByRole('listitem').all()) await item.click({ trial: true })
    assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined)
    assert.ok(HOSTILE.length <= shown.length)
  })
  await inBox('says so when nothing is found, and when the text is gone', async (page) => {
    await asked(page, '???')
    await page.getByText('No results').waitFor()
    await box(page).fill('')
    await page.getByText('No results').waitFor({ state: 'detached' })
  })
  await inBox("has Pagefind's functions", async (page) => {
    const found = await page.evaluate(async () => {
      const module = '/texts/pagefind.js'
      const pagefind = (await import(module)) as {
        init(): Promise<void>
        search(
          term: string | null,
          options?: object,
        ): Promise<{ results: { data(): Promise<Record<string, unknown>> }[] }>
        options(given: object): Promise<void>
        mergeIndex(path: string, given?: object): Promise<void>
        debouncedSearch(term: string, options: object, pauseMs: number): Promise<unknown>
        filters(): Promise<object>
      }
      await pagefind.init()
      const data = async (term: string, options?: object) => (await pagefind.search(term, options)).results[0]?.data()
      const [first, second] = await Promise.all([
        pagefind.debouncedSearch('a', {}, 50),
        pagefind.debouncedSearch('eggs', {}, 50),
      ])
      return {
        invoice: await data('AB-1234'),
        filtered: await data('bill', { filters: { topic: ['bread'] } }),
        hostile: (await pagefind.search('quicksand')).results.length > 0 ? await data('quicksand') : undefined,
        debounced: [first, second !== null],
        filters: await pagefind.filters(),
        ...(await further()),
      }
      async function further() {
        const urlsOf = async (term: string | null, given: object) => {
          const { results } = await pagefind.search(term, given)
          return (await Promise.all(results.map((one) => one.data()))).map(
            (one) => new URL(String(one['url'])).pathname,
          )
        }
        const listed = await urlsOf(null, { filters: { topic: { any: ['silt', 'bread'] } } })
        const others = await urlsOf(null, { filters: { topic: 'bread', none: { topic: ['bread'] } } })
        const ordered = await urlsOf('bill eggs water', { sort: { topic: 'desc' } })
        await pagefind.options({ excerptLength: 3, highlightParam: 'marked' })
        const short = await data('invoice bill')
        await pagefind.mergeIndex('/site/search/', { indexWeight: 100 })
        const merged = await data('sediment')
        return { listed, others, ordered, short, merged }
      }
    })
    assert.equal(found.invoice?.['url'], `${host.origin}/notes/invoice`)
    assert.match(String(found.invoice?.['excerpt']), /The bill <mark>AB<\/mark>-<mark>1234<\/mark>/)
    assert.equal(found.filtered?.['url'], `${host.origin}/notes/bread`)
    assert.doesNotMatch(String(found.hostile?.['excerpt']), /<(?!\/?mark>)/)
    assert.deepEqual(found.debounced, [null, true])
    assert.deepEqual(found.filters, {})
    assert.deepEqual(found.listed, ['/notes/silt', '/notes/bread'])
    assert.deepEqual(found.others, [])
    assert.deepEqual(found.ordered, ['/notes/silt', '/notes/invoice', '/notes/bread'])
    assert.equal(found.short?.['url'], `${host.origin}/notes/invoice?marked=invoice&marked=bill`)
    assert.equal(found.short?.['raw_url'], `${host.origin}/notes/invoice`)
    assert.ok(String(found.short?.['plain_excerpt']).length < 30)
    assert.deepEqual(found.short?.['locations'], [1])
    assert.equal(found.merged?.['url'], `${host.origin}/site/guide/rivers.html`)
  })
  await test('search box: answers without a network what it never read, once it has kept the folder', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${host.origin}/offline.html`)
    const kept = page.evaluate<string[]>(`new Promise((resolve) => {
      for (const name of ['siltstone-offline', 'siltstone-offline-failed'])
        addEventListener(name, ({ type, detail }) => resolve([type, String(detail)]))
    })`)
    await asked(page, 'quicksand')
    assert.deepEqual(await kept, ['siltstone-offline', 'null'])
    await context.setOffline(true)
    // Another box, which has nothing in memory.
    await page.evaluate(`{
      const other = document.createElement('siltstone-search')
      other.setAttribute('offline', '')
      other.setAttribute('label', 'Another')
      document.querySelector('siltstone-search').replaceWith(other)
    }`)
    await page.getByRole('searchbox', { name: 'Another' }).fill('why do streams drop mud where water slows?')
    await page.getByRole('link').first().waitFor()
    assert.equal(await page.getByRole('link').first().getAttribute('href'), `${host.origin}/notes/silt`)
    await context.close()
  })
  await test('a built site: answers are pages, with their headings', async () => {
    const page = await browser.newPage()
    await page.goto(`${host.origin}/search.html`)
    const found = await page.evaluate(async () => {
      const module = '/site/search/pagefind.js'
      const pagefind = (await import(module)) as {
        search(term: string): Promise<{
          results: { data(): Promise<{ url: string; meta: object; sub_results: { title: string; url: string }[] }> }[]
        }>
      }
      const { results } = await pagefind.search('why do streams drop dirt?')
      return Promise.all(results.map((result) => result.data()))
    })
    const [best, ...others] = found
    assert.deepEqual(
      [best?.url, ...others.map(({ url }) => url)],
      ['/site/guide/rivers.html', '/site/'].map((path) => host.origin + path),
    )
    const sections = best?.sub_results.map(({ title, url }) => [title, url.replace(host.origin, '')])
    assert.deepEqual(sections, [
      ['Mud', '/site/guide/rivers.html#mud'],
      ['Rivers', '/site/guide/rivers.html'],
    ])
    assert.deepEqual(best?.meta, {
      topic: 'geology',
      url: '/site/guide/rivers.html#mud',
      page: '/site/guide/rivers.html',
      title: 'Rivers',
    })
    await page.close()
  })
  await host.close()
}
