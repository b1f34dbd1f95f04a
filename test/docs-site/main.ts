/** Uses the documentation site as people do: `main.ts FOLDER`, where `npm run docs:site` wrote it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { violations } from '../console/axe.ts'
import { startHost } from '../reader/static-host.ts'

const folder = process.argv[2] ?? 'docs-site'
const host = await startHost(async (path) => {
  try {
    return await readFile(join(folder, path === '' || path.endsWith('/') ? `${path}index.html` : path))
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
})
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: ['--no-sandbox'] })
let passed = 0
let failed = 0

async function test(
  name: string,
  run: (page: Page) => Promise<void>,
  options: { colorScheme?: 'light' | 'dark'; width?: number } = {},
): Promise<void> {
  const { colorScheme = 'light', width = 1280 } = options
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && new URL(request.url()).origin !== host.origin)
      complaints.push(`request to ${request.url()}`)
  })
  try {
    await run(page)
    assert.deepEqual(complaints, [])
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}\n${String(error instanceof Error ? error.stack : error)}`)
  } finally {
    await context.close()
  }
}

const PAGES = [
  'index.html',
  'tutorial/getting-started.html',
  'how-to/filter.html',
  'how-to/console.html',
  'reference/commands.html',
  'reference/http-api.html',
  'explanation/how-it-works.html',
  'decisions/index.html',
  'repository/ARCHITECTURE.html',
  'api/siltstone.html',
]

for (const colorScheme of ['light', 'dark'] as const)
  for (const path of PAGES)
    await test(
      `${path}, ${colorScheme}: accessible`,
      async (page) => {
        await page.goto(`${host.origin}/${path}`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await page.getByRole('button', { name: 'Theme: system' }).waitFor()
        assert.deepEqual(await violations(page), [])
      },
      { colorScheme },
    )

for (const path of PAGES)
  await test(
    `${path}: fits 360 pixels`,
    async (page) => {
      await page.goto(`${host.origin}/${path}`)
      await page.getByRole('button', { name: 'Theme: system' }).waitFor()
      const wide = Number(
        await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
      )
      assert.ok(wide <= 0, `the page is ${wide} pixels too wide`)
    },
    { width: 360 },
  )

await test('the search answers by meaning, and leads to the place', async (page) => {
  await page.goto(`${host.origin}/how-to/filter.html`)
  await page
    .getByRole('searchbox', { name: 'Search the documentation' })
    .fill('how do I go back to the state of yesterday?')
  const results = page.locator('siltstone-search').getByRole('link')
  await results.first().waitFor()
  const addresses = await results.evaluateAll((links) =>
    links.map((link) => (link as unknown as { href: string }).href),
  )
  assert.ok(
    addresses.some((address) => /rollback|snapshot|go-back|getting-started|upgrade|history|earlier/.test(address)),
    addresses.join('\n'),
  )
  await results.first().click()
  await page.waitForURL(addresses[0] as string)
  await page.getByRole('heading', { level: 1 }).waitFor()
})

await test('the search finds an export of the API by its name', async (page) => {
  await page.goto(`${host.origin}/index.html`)
  await page.getByRole('searchbox', { name: 'Search the documentation' }).fill('openStore')
  await page.locator('siltstone-search a[href*="/api/"]').first().waitFor()
})

await test('a theme is chosen and kept', async (page) => {
  await page.goto(`${host.origin}/index.html`)
  await page.getByRole('button', { name: 'Theme: system' }).click()
  await page.getByRole('button', { name: 'Theme: light' }).click()
  const ground = () => page.evaluate('getComputedStyle(document.body.parentElement).backgroundColor')
  assert.equal(await ground(), 'rgb(26, 25, 23)')
  await page.goto(`${host.origin}/api/siltstone.html`)
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
  assert.equal(await ground(), 'rgb(26, 25, 23)')
})

await test('a name in a declaration leads to its own', async (page) => {
  await page.goto(`${host.origin}/api/siltstone.html`)
  await page.locator('pre a', { hasText: 'StoreOptions' }).first().click()
  await page.waitForURL(/#export-StoreOptions$/)
})

await browser.close()
await host.close()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
