/** Uses the console as people do. Each test has a page of its own, which must not complain. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { Page } from 'playwright-core'
import { violations } from './axe.ts'
import { HOSTILE, MANY, openPage, openWorld, type Watched } from './world.ts'

const world = await openWorld()
const PLACE = '#/default_tenant/default_database'
let passed = 0
let failed = 0

async function test(
  name: string,
  run: (watched: Watched) => Promise<void>,
  options: Parameters<typeof openPage>[1] = {},
): Promise<void> {
  const watched = await openPage(world.browser, options)
  try {
    await run(watched)
    assert.deepEqual(watched.complaints, [])
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}\n${String(error instanceof Error ? error.stack : error)}`)
    if (process.env['PICTURES'])
      await watched.page.screenshot({ path: `${process.env['PICTURES']}/failed-${failed}.png` })
  } finally {
    await watched.page.context().close()
  }
}

const visit = (page: Page, hash: string, url = world.url) => page.goto(`${url}/${hash}`)

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

for (const scheme of ['light', 'dark'] as const)
  for (const [name, hash, complete, url] of VIEWS)
    await test(
      `${name}, ${scheme}: accessible`,
      async ({ page }) => {
        await visit(page, hash, url)
        await complete(page)
        await page.getByText('As code').click()
        assert.deepEqual(await violations(page), [])
        if (process.env['PICTURES']) await page.screenshot({ path: `${process.env['PICTURES']}/${name}-${scheme}.png` })
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

await test('100,000 rows scroll with at most 100 in the document', async ({ page }) => {
  await visit(page, `${PLACE}/many/records`)
  const rows = page.getByRole('region', { name: 'Records' })
  await rows.getByText('the document of row 0', { exact: true }).waitFor()
  for (const part of [0.3, 0.77, 1]) {
    await rows.evaluate((element, at) => element.scrollTo(0, at * element.scrollHeight), part)
    await rows.locator('.record').first().waitFor()
    assert.ok((await rows.getByRole('listitem').count()) <= 100)
  }
  await rows.getByText(`the document of row ${MANY - 1}`, { exact: true }).waitFor()
})

await test('open, search, see why, compare, roll back, see the change', async ({ page }) => {
  await visit(page, '#/')
  await page.getByRole('link', { name: 'notes' }).click()
  await page.getByText('62 records').waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByLabel('Question').fill('what do streams transport?')
  await page.getByRole('button', { name: 'Search' }).click()
  const results = page.getByRole('region', { name: 'Results' })
  await results
    .getByText(/rivers carry silt/)
    .first()
    .waitFor()
  const why = page.getByRole('complementary', { name: 'Why' })
  assert.match(await why.innerText(), /Measured\s+\d+|Scanned\s+\d+/)
  await page.getByLabel('Compare with').selectOption('another text')
  await page.getByRole('textbox', { name: 'Text' }).fill('flour for bread')
  await page.getByRole('button', { name: 'Compare' }).click()
  await page
    .getByRole('region', { name: 'another text' })
    .getByText(/bread needs flour/)
    .first()
    .waitFor()
  assert.match(page.url(), /by=text/)
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('button', { name: 'Roll back to version 2' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Records' }).click()
  await page.getByText('64 records').waitFor()
  await page.getByText('note-0', { exact: true }).waitFor()
})

await test('the map leads from a point to its record, by pointer and by keys', async ({ page }) => {
  await visit(page, `${PLACE}/notes/map?key=topic`)
  const map = page.getByRole('application', { name: /Map of the records/ })
  await map.focus()
  await page.keyboard.press('ArrowRight')
  const id = (await page.getByRole('status').innerText()).split(':')[0] ?? ''
  await page.keyboard.press('Enter')
  await page.getByRole('complementary', { name: 'Record' }).getByText(id, { exact: true }).first().waitFor()
  await page.goBack()
  await page.getByLabel('Colour by').selectOption('nothing')
  await page.getByRole('list', { name: 'Colours' }).waitFor({ state: 'detached' })
  assert.doesNotMatch(page.url(), /key=/)
})

await test('a past version can be read, kept by name, and released', async ({ page }) => {
  await visit(page, `${PLACE}/notes/history`)
  await page.getByRole('button', { name: 'Read version 3' }).click()
  await page.getByText('You are reading version 3').waitFor()
  await page.getByText('62 records').waitFor()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('button', { name: 'Keep version 3' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('the third')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Release the third' }).click()
  await page.getByRole('heading', { name: 'Release a snapshot' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Release the third' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click()
  await page.getByRole('button', { name: 'Release the third' }).waitFor({ state: 'detached' })
})

await test('documents are text, whatever is in them', async ({ page }) => {
  await visit(page, `${PLACE}/notes/records?where=${encodeURIComponent('{"<b>key</b>":{"$ne":"x"}}')}`)
  for (const i of HOSTILE.keys()) {
    await page.goto(`${world.url}/${PLACE}/notes/records?id=hostile-${i}`)
    const detail = page.getByRole('complementary', { name: 'Record' })
    await detail
      .getByText(HOSTILE[i]?.slice(0, 20) ?? '')
      .first()
      .waitFor()
    assert.equal(await detail.getByRole('link').count(), 0)
  }
  await page.getByRole('button', { name: 'Show all 1,000,000 characters' }).click()
  await visit(page, `${PLACE}/notes/search?like=hostile-0&k=20`)
  await page.getByRole('region', { name: 'Results' }).waitFor()
  await visit(page, `${PLACE}/notes/fields`)
  await page.getByRole('region', { name: '<b>key</b>' }).waitFor()
  assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined)
  assert.equal(await page.locator('main script, main img, main b').count(), 0)
})

await test('a value of a field leads to its records, and a filter that is wrong is explained', async ({ page }) => {
  await visit(page, `${PLACE}/notes/fields`)
  await page.getByRole('region', { name: 'topic' }).getByRole('button', { name: 'granite is hard' }).click()
  await page.getByText('15 records match').waitFor()
  await page.getByLabel('Filter').fill('{"topic":')
  await page.locator('#where-problem').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Apply' }).isDisabled(), true)
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('64 records').waitFor()
})

await test('the keyboard is enough', async ({ page }) => {
  await visit(page, `${PLACE}/notes/records`)
  await page.getByText('note-1', { exact: true }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content')
  await page.getByRole('button', { name: /^note-1 / }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('complementary', { name: 'Record' }).waitFor()
  await page.getByRole('button', { name: 'More like this' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Results' }).getByText('note-1', { exact: true }).waitFor()
})

await test('collections are created and deleted', async (watched) => {
  const { page } = watched
  watched.expected = [400]
  await visit(page, '#/')
  await page.getByRole('button', { name: 'New collection' }).click()
  await page.getByLabel('Name').fill('x')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await page.getByLabel('Name').fill('fresh')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('link', { name: 'fresh' }).click()
  await page.getByText('No records yet.').waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Delete fresh' }).click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete' })
  assert.equal(await confirm.isDisabled(), true)
  await page.getByLabel('Type fresh to confirm').fill('fresh')
  await confirm.click()
  await page.getByRole('link', { name: 'fresh' }).waitFor({ state: 'detached' })
})

await test('the code of a view runs', async ({ page }) => {
  await visit(page, `${PLACE}/notes/search?text=rivers&k=3`)
  await page.getByText('As code').click()
  for (const language of ['JavaScript', 'Python', 'curl']) {
    await page.getByRole('button', { name: language }).click()
    const code = await page.locator('details.code pre').innerText()
    const command =
      language === 'JavaScript'
        ? [process.execPath, '--input-type=module', '-e', code]
        : language === 'Python'
          ? ['python3', '-c', code]
          : ['sh', '-c', code]
    const { stdout, stderr } = spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' })
    assert.match(stdout, /note-\d+/, `${language}: ${stderr}`)
  }
})

await test('measures recall, verifies and compacts', async ({ page }) => {
  await visit(page, `${PLACE}/notes/upkeep`)
  await page.getByRole('button', { name: 'Compact now' }).click()
  await page.getByRole('button', { name: 'Compact now' }).waitFor()
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.getByText('recall@10').waitFor()
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByText(/Whole: \d+ objects/).waitFor()
})

await test('the server shows its databases, its load and what it would cost', async ({ page }) => {
  await visit(page, '#/')
  await page.getByRole('link', { name: 'Server' }).click()
  const rows = page.getByRole('region', { name: 'Collections' }).getByRole('row')
  await rows.nth(1).getByText('many').waitFor()
  assert.match(await page.getByRole('region', { name: 'Databases' }).innerText(), /default_database\s+2\s+100,06/)
  await page.getByRole('button', { name: 'In the log' }).click()
  assert.match(page.url(), /sort=log/)
  await page
    .getByRole('columnheader', { name: 'In the log', exact: false })
    .and(page.locator('[aria-sort=descending]'))
    .waitFor()
  const query = { where: { topic: 'x' }, limit: 1 }
  const id = await idOf('notes')
  const before = await requestsOf(page, 'POST …/collections/{collection_id}/get')
  await fetch(`${world.url}/api/v2/tenants/default_tenant/databases/default_database/collections/${id}/get`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(query),
  })
  await page.getByRole('row', { name: `POST …/collections/{collection_id}/get ${before + 1} ` }).waitFor()
  await page.getByRole('region', { name: 'Garbage' }).getByRole('button', { name: 'Count' }).click()
  await page.getByRole('region', { name: 'Garbage' }).getByRole('status').waitFor()
  await page.getByRole('region', { name: 'Cost' }).getByText('1,000 queries').waitFor()
})

await test('uploads show how far they became searchable, and are processed again', async ({ page }) => {
  await visit(page, '#/', world.objectsUrl)
  await page.getByRole('link', { name: 'Uploads' }).click()
  const objects = page.getByRole('region', { name: 'Objects' })
  await objects.getByRole('link', { name: '<b>bold</b>.txt' }).waitFor()
  await page.getByLabel('State').selectOption('dead')
  await objects.getByRole('link', { name: 'notes/rivers.md' }).waitFor({ state: 'detached' })
  await objects.getByRole('link', { name: 'notes/broken.pdf' }).click()
  const object = page.getByRole('complementary', { name: 'Object' })
  await object.getByText('was given up').waitFor()
  assert.equal(await object.locator('.problem').count(), 1)
  assert.match(page.url(), /#uploads\?.*state=dead/)
  await page.getByLabel('State').selectOption('any')
  await page.getByLabel('Keys that begin with').fill('notes/r')
  await page.getByRole('button', { name: 'Apply' }).click()
  await objects.getByRole('link', { name: 'notes/broken.pdf' }).waitFor({ state: 'detached' })
  await objects.getByRole('link', { name: 'notes/rivers.md' }).click()
  await object.getByText('is searchable').waitFor()
  await object.getByRole('button', { name: 'Process again' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Process again' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByText('As code').click()
  assert.match(await page.getByLabel('Code, curl').innerText(), /objects\/replay/)
})

await test('artifacts show their rating with its reasons, and lead to what they were made from', async ({ page }) => {
  await visit(page, '#/', world.objectsUrl)
  await page.getByRole('link', { name: 'Artifacts' }).click()
  await page.getByLabel('About').fill('names birds')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('link', { name: 'tern-small' }).first().click()
  const rating = page.getByRole('region', { name: 'Rating' })
  await rating.getByText('license').click()
  assert.match(await rating.locator('details[open] .note').first().innerText(), /^[+−]\d\.\d{3} /)
  await page.getByRole('region', { name: 'README' }).getByText('<script>').waitFor()
  assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined)
  assert.deepEqual(await violations(page), [])
  await page.getByRole('region', { name: 'Lineage' }).getByRole('link', { name: 'tern-base' }).click()
  await page.getByRole('heading', { name: 'tern-base' }).waitFor()
  await page.getByRole('region', { name: 'Lineage' }).getByRole('link', { name: 'tern-small' }).waitFor()
  await page.goBack()
  await page.getByRole('heading', { name: 'tern-small' }).waitFor()
  if (process.env['PICTURES']) await page.screenshot({ path: `${process.env['PICTURES']}/artifact.png` })
})

await test('pages of what a server does not have are not offered', async ({ page }) => {
  await visit(page, '#uploads')
  await page.getByText('This server has no objects').waitFor()
  await visit(page, '#artifacts')
  await page.getByText('This server has no registry').waitFor()
  assert.equal(await page.getByRole('link', { name: /Uploads|Artifacts/ }).count(), 0)
})

await test('tokens are listed without what is secret, and a new one is made in the page', async ({ page }) => {
  await page.addInitScript(`sessionStorage.setItem('siltstone-token', 'admin-token')`)
  await visit(page, '#access', world.lockedUrl)
  const tokens = page.getByRole('region', { name: 'Tokens' })
  await tokens.getByText('eve').waitFor()
  assert.match(await tokens.innerText(), /ada\s+admin\s+all\s+all\s+2\s+eve\s+read\s+default_tenant/)
  assert.doesNotMatch(await page.locator('main').innerText(), /(admin|read)-token/)
  await page.getByLabel('User').fill('kim')
  await page.getByRole('button', { name: 'Make' }).click()
  const token = (await page.getByLabel('Token', { exact: true }).innerText()).trim()
  const entry = JSON.parse(await page.getByLabel('Entry').innerText()) as Record<string, unknown>
  assert.deepEqual(entry, {
    sha256: createHash('sha256').update(token).digest('hex'),
    user: 'kim',
    role: 'read',
    tenants: ['*'],
  })
  assert.deepEqual(await violations(page), [])
})

await test('works below a path prefix: pages, files, requests, and the code of a view', async ({ page }) => {
  await page.goto(world.prefixedUrl)
  await page.getByRole('link', { name: 'notes' }).click()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('heading', { name: 'Snapshots' }).waitFor()
  await page.getByText('As code').click()
  assert.match(await page.getByLabel('Code, curl').innerText(), /\/a\/vectors\/api\/siltstone\/v1\//)
  assert.equal(await page.getByRole('link', { name: 'API' }).getAttribute('href'), 'docs')
})

await test('a token is asked for, kept in the tab, and decides what is shown', async (watched) => {
  const { page } = watched
  watched.expected = [401]
  await visit(page, `${PLACE}/notes/records`, world.lockedUrl)
  const field = page.getByLabel('Token')
  await field.fill('wrong')
  await page.getByRole('button', { name: 'Open' }).click()
  await field.waitFor()
  await field.fill('read-token')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByText('eve, read').waitFor()
  await page.getByText('64 records').waitFor()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('heading', { name: 'Snapshots' }).waitFor()
  assert.equal(await page.getByRole('button', { name: /Roll back|Keep|Fork/ }).count(), 0)
  await page.getByRole('link', { name: 'Server' }).click()
  await page.getByText('they need a token for all tenants').waitFor()
  await page.getByRole('region', { name: 'Databases' }).getByText('default_database').waitFor()
  assert.equal(page.url().includes('read-token'), false)
  assert.deepEqual(await page.context().cookies(), [])
  assert.equal(await page.evaluate('localStorage.length'), 0)
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Forget token' }).click()
  await field.waitFor()
})

await test('a page of another server cannot frame it, nor run inline code in it', async ({ page }) => {
  const answer = await page.goto(world.url)
  const policy = answer?.headers()['content-security-policy'] ?? ''
  assert.match(policy, /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  await page.getByRole('link', { name: 'notes' }).waitFor()
})

async function idOf(collection: string): Promise<string> {
  const path = `/api/v2/tenants/default_tenant/databases/default_database/collections/${collection}`
  return ((await (await fetch(world.url + path)).json()) as { id: string }).id
}

async function requestsOf(page: Page, operation: string): Promise<number> {
  const text = await page.getByRole('region', { name: 'Requests', exact: true }).innerText()
  return Number(text.split(operation)[1]?.trim().split(/\s/)[0] ?? 0)
}

await world.close()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
