/** What all tests of the console share: the world, and how a test is run and counted. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { openPage, openWorld, type Watched } from './world.ts'

export const world = await openWorld()
export const PLACE = '#/default_tenant/default_database'
export const outcome = { passed: 0, failed: 0 }

/** Gives the test a page of its own, which must not complain. */
export async function test(
  name: string,
  run: (watched: Watched) => Promise<void>,
  options: Parameters<typeof openPage>[1] = {},
): Promise<void> {
  const watched = await openPage(world.browser, options)
  try {
    await run(watched)
    assert.deepEqual(watched.complaints, [])
    outcome.passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    outcome.failed++
    console.log(`FAILED  ${name}\n${String(error instanceof Error ? error.stack : error)}`)
    if (process.env['PICTURES'])
      await watched.page.screenshot({ path: `${process.env['PICTURES']}/failed-${outcome.failed}.png` })
  } finally {
    await watched.page.context().close()
  }
}

export const visit = (page: Page, hash: string, url = world.url) => page.goto(`${url}/${hash}`)
