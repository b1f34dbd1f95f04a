/** Every view, light and dark and on a small screen. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { violations } from './axe.ts'
import { PLACE, test, visit, world } from './suite.ts'

/** What a view shows when it is complete. */
const VIEWS: [string, string, (page: Page) => Promise<unknown>, string?][] = [
  ['collections', '#/', (page) => page.getByRole('link', { name: 'notes' }).waitFor()],
  [
    'records',
    `${PLACE}/notes/records?id=note-1`,
    (page) => page.getByRole('complementary', { name: 'Record' }).getByText('granite is hard, said note 1').waitFor(),
  ],
  [
    'search',
    `${PLACE}/notes/search?text=mud+in+streams`,
    (page) => page.getByRole('complementary', { name: 'Why' }).waitFor(),
  ],
  [
    'words',
    `${PLACE}/notes/search?text=grante+that+carry+silt&rank=words`,
    async (page) => {
      await page.getByRole('link', { name: 'granite that carry silt' }).waitFor()
      await page.getByRole('list', { name: 'Words' }).first().waitFor()
    },
  ],
  ['compare', `${PLACE}/notes/search?text=mud&by=exact`, (page) => page.getByText('of the hits on the').waitFor()],
  ['fields', `${PLACE}/notes/fields`, (page) => page.getByRole('region', { name: 'topic' }).waitFor()],
  ['map', `${PLACE}/notes/map?key=topic`, (page) => page.getByRole('list', { name: 'Colours' }).waitFor()],
  [
    'history',
    `${PLACE}/notes/history`,
    (page) =>
      page
        .getByRole('button', { name: /Roll back to/ })
        .first()
        .waitFor(),
  ],
  [
    'server',
    '#server',
    // The second look at the counters: the chart of memory has a line then.
    (page) => page.getByRole('img', { name: /^Memory over time: resident \d/ }).waitFor(),
  ],
  [
    'uploads',
    '#uploads?bucket=media&key=notes%2Frivers.md',
    (page) => page.getByRole('complementary', { name: 'Object' }).getByText('text@').waitFor(),
    world.objectsUrl,
  ],
  [
    'artifacts',
    '#artifacts',
    (page) => page.getByRole('region', { name: 'Artifacts' }).getByText('tern-small').first().waitFor(),
    world.objectsUrl,
  ],
  [
    'access',
    '#access',
    async (page) => {
      await page.getByText('sees collections').click()
      await page.getByText('GET /api/siltstone/v1', { exact: true }).waitFor()
    },
  ],
  ['upkeep', `${PLACE}/notes/upkeep`, (page) => page.getByRole('region', { name: 'Garbage' }).waitFor()],
]

export async function testViews(): Promise<void> {
  for (const scheme of ['light', 'dark'] as const)
    for (const [name, hash, complete, url] of VIEWS)
      await test(
        `${name}, ${scheme}: accessible`,
        async ({ page }) => {
          await visit(page, hash, url)
          await complete(page)
          await page.getByText('As code').click()
          assert.deepEqual(await violations(page), [])
          if (process.env['PICTURES'])
            await page.screenshot({ path: `${process.env['PICTURES']}/${name}-${scheme}.png` })
        },
        { scheme },
      )

  for (const [name, hash, complete, url] of VIEWS)
    await test(
      `${name}: fits 360 pixels`,
      async ({ page }) => {
        await visit(page, hash, url)
        await complete(page)
        const wide = Number(
          await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
        )
        assert.ok(wide <= 0, `the page is ${wide} pixels too wide`)
      },
      { width: 360, height: 640 },
    )
}
