/** Search by a text: by meaning and words, with the reasons of each place. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Page } from 'playwright-core'
import { PLACE, test, visit } from './suite.ts'

const results = (page: Page) => page.getByRole('region', { name: 'Results' })
const why = (page: Page) => page.getByRole('complementary', { name: 'Why' })
const firstReason = (page: Page) => why(page).locator('.scores > li').first()

export async function testSearch(): Promise<void> {
  await test('a text is ranked by meaning and words, and each score says why', async ({ page }) => {
    await visit(page, `${PLACE}/notes/search`)
    await page.getByLabel('Question').fill('who says that granite is hard? note 13')
    await page.getByRole('button', { name: 'Search' }).click()
    await results(page).getByText('note-13', { exact: true }).waitFor()
    assert.match(await results(page).getByRole('listitem').first().innerText(), /^note-13\n/)
    assert.deepEqual(await results(page).getByRole('listitem').first().locator('mark').allInnerTexts(), [
      'granite',
      'hard',
      'note',
      '13',
    ])
    const reason = await firstReason(page).innerText()
    assert.match(reason, /^note-13\s+-\d\.\d{4}/)
    assert.match(reason, /meaning position \d+, distance 0\.\d{4}\s+\+\d\.\d{4}/i)
    assert.match(reason, /words position 1, BM25 \d\.\d{4}\s+-\d\.\d{4}/i)
    const words = await firstReason(page).getByRole('list', { name: 'Words' }).getByRole('listitem').allInnerTexts()
    assert.match(words[0] ?? '', /^13 \d\.\d\d$/)
    assert.match(await why(page).innerText(), /Measured\s+\d+|Scanned\s+\d+/)
    // The parts of the score that are shown add up to it.
    const numbers = [...reason.matchAll(/(?<![\w.])[+-]\d+\.\d{4}/g)].map(([one]) => Number(one))
    assert.equal(numbers.length, 3, reason)
    const [score = 0, meaning = 0, byWords = 0] = numbers
    assert.ok(Math.abs(score - meaning - byWords) < 0.0002, reason)
  })

  await test('the ranking is chosen, kept in the address, and compared', async ({ page }) => {
    await visit(page, `${PLACE}/notes/search?text=what+do+streams+carry%3F`)
    await results(page).getByRole('listitem').first().waitFor()
    await page.getByLabel('Rank by').selectOption('words')
    await page.waitForURL(/rank=words/)
    await firstReason(page)
      .getByText(/position 1, BM25/)
      .waitFor()
    assert.doesNotMatch(await why(page).innerText(), /Meaning|Measured/i)
    for (const hit of await results(page).getByRole('listitem').allInnerTexts()) assert.match(hit, /carry/)
    await page.getByLabel('Rank by').selectOption('meaning')
    await page.waitForURL(/rank=meaning/)
    await firstReason(page)
      .getByText(/position 1, distance/)
      .waitFor()
    await page.reload()
    assert.equal(await page.getByLabel('Rank by').inputValue(), 'meaning')
    await page.getByLabel('Compare with').selectOption('another ranking')
    const other = page.getByRole('region', { name: 'another ranking' })
    await other.getByRole('listitem').first().waitFor()
    await page.getByLabel('Rank by').last().selectOption('words')
    await page.waitForURL(/other=words/)
    await page.getByRole('complementary', { name: 'Why another ranking' }).getByText(/BM25/).first().waitFor()
    await page
      .getByRole('status')
      .getByText(/% of the hits on the right/)
      .waitFor()
    await page.getByLabel('Near to').selectOption('a record')
    assert.equal(await page.locator('form.search').getByLabel('Rank by').count(), 0)
  })

  await test('a misspelt word is offered as it may have been meant', async ({ page }) => {
    await visit(page, `${PLACE}/notes/search?text=rivvers&rank=words`)
    await page.getByText('Nothing matches.').waitFor()
    await page.getByRole('link', { name: 'rivers' }).click()
    await page.waitForURL(/text=rivers&rank=words/)
    await results(page).locator('mark').getByText('rivers').first().waitFor()
    assert.equal(await page.getByText('Did you mean').count(), 0)
  })

  await test('where no embedder fits the vectors, words alone rank, and the page says so', async (watched) => {
    const { page } = watched
    watched.expected = [400]
    await visit(page, `${PLACE}/many/search?text=row+77777`)
    await page.getByText(/Ranked by words alone: .*dimension of 2/).waitFor()
    assert.match(await results(page).getByRole('listitem').first().innerText(), /^row-77777\n/)
    await page.getByLabel('Rank by').selectOption('meaning')
    await page
      .getByRole('alert')
      .getByText(/dimension of 2/)
      .waitFor()
  })

  await test('words of hostile documents are marked as text', async ({ page }) => {
    await visit(page, `${PLACE}/notes/search?text=script+window+hacked+img+override&k=20`)
    await results(page).locator('mark').first().waitFor()
    assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined)
    assert.equal(await page.locator('main script, main img').count(), 0)
  })

  await test('the code of a view runs', async ({ page }) => {
    for (const more of ['', '&rank=words', '&rank=meaning', '&where=%7B%22n%22%3A%7B%22%24gt%22%3A3%7D%7D']) {
      await visit(page, `${PLACE}/notes/search?text=rivers&k=3${more}`)
      await results(page).getByRole('listitem').nth(2).waitFor()
      await page.getByText('As code').click()
      const found = await results(page).locator('li strong').allInnerTexts()
      for (const language of ['JavaScript', 'Python', 'curl']) {
        await page.getByRole('button', { name: language }).click()
        const { stdout, stderr } = run(language, await page.locator('details.code pre').innerText())
        for (const id of found) assert.ok(stdout.includes(id), `${language}${more}: ${stdout} ${stderr}`)
      }
      await visit(page, '#/')
    }
  })
}

function run(language: string, code: string) {
  const command =
    language === 'JavaScript'
      ? [process.execPath, '--input-type=module', '-e', code]
      : language === 'Python'
        ? ['python3', '-c', code]
        : ['sh', '-c', code]
  return spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' })
}
