/** Collections and what is done with one: reading, searching, going back, upkeep. */
import assert from 'node:assert/strict'
import { PLACE, test, visit, world } from './suite.ts'
import { testSearch } from './search.ts'
import { HOSTILE, MANY } from './world.ts'

export async function testCollections(): Promise<void> {
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

  await testSearch()

  await test('measures recall, verifies and compacts', async ({ page }) => {
    await visit(page, `${PLACE}/notes/upkeep`)
    await page.getByRole('button', { name: 'Compact now' }).click()
    await page.getByRole('button', { name: 'Compact now' }).waitFor()
    await page.getByRole('button', { name: 'Measure' }).click()
    await page.getByText('recall@10').waitFor()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(/Whole: \d+ objects/).waitFor()
  })
}
