/** Pages of the whole server: its load, uploads, artifacts. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { violations } from './axe.ts'
import { test, visit, world } from './suite.ts'

export async function testServerPages(): Promise<void> {
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
    const { paths } = (await (await fetch(`${world.objectsUrl}/openapi.json`)).json()) as {
      paths: Record<string, { get: { parameters: { name: string; schema: { enum?: string[] } }[] } }>
    }
    const { parameters } = (paths['/api/siltstone/v1/objects/status'] as (typeof paths)[string]).get
    const states = parameters.find(({ name }) => name === 'state')?.schema.enum
    assert.deepEqual((await page.getByLabel('State').locator('option').allInnerTexts()).slice(1), states)
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
}

async function idOf(collection: string): Promise<string> {
  const path = `/api/v2/tenants/default_tenant/databases/default_database/collections/${collection}`
  return ((await (await fetch(world.url + path)).json()) as { id: string }).id
}

async function requestsOf(page: Page, operation: string): Promise<number> {
  const text = await page.getByRole('region', { name: 'Requests', exact: true }).innerText()
  return Number(text.split(operation)[1]?.trim().split(/\s/)[0] ?? 0)
}
