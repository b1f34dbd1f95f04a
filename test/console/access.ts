/** Who may see what: tokens, a path prefix, other origins. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { violations } from './axe.ts'
import { PLACE, test, visit, world } from './suite.ts'

export async function testAccess(): Promise<void> {
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
}
