/** Reads in Chromium what static hosts serve. A page must not complain, and a host must not see a HEAD or a preflight. */
import assert from 'node:assert/strict'
import { type Browser, chromium } from 'playwright-core'
import type * as page from './page.ts'
import { type HostTraits, startHost } from './static-host.ts'
import { makeWorld } from './world.ts'

const world = await makeWorld()
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: ['--no-sandbox'] })
let passed = 0
let failed = 0

async function test(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}\n${String(error instanceof Error ? error.stack : error)}`)
  }
}

/** Without `connect-src`, the page reads its own origin only. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:"
const WITHOUT_WASM = STRICT.replace(" 'wasm-unsafe-eval'", '')

const HOSTS: { name: string; traits: HostTraits; elsewhere?: HostTraits; complaint?: RegExp }[] = [
  { name: 'honest ranges, strict CSP', traits: { csp: STRICT } },
  { name: 'no WebAssembly allowed by the CSP', traits: { csp: WITHOUT_WASM } },
  { name: 'no ranges, pages instead of 404', traits: { ranges: 'ignored', pages: true } },
  { name: 'ranges of compressed bytes', traits: { ranges: 'compressed' }, complaint: /ERR_CONTENT_DECODING_FAILED/ },
  { name: 'truncated ranges', traits: { ranges: 'truncated' } },
  { name: 'another origin', traits: {}, elsewhere: { cors: true } },
  { name: 'another origin with truncated ranges', traits: {}, elsewhere: { cors: true, ranges: 'truncated' } },
]

/** @param expected what the browser itself reports of the host */
async function checksIn(
  opened: Browser,
  origin: string,
  store: string,
  expected?: RegExp,
): Promise<page.CheckResult[]> {
  const tab = await opened.newPage()
  const complaints: string[] = []
  tab.on('console', (message) => complaints.push(message.text()))
  tab.on('pageerror', (error) => complaints.push(String(error)))
  try {
    await tab.goto(`${origin}/index.html`)
    const results = await tab.evaluate(async (url) => {
      // A variable, so that the compiler does not look for the module here.
      const module = '/page.js'
      const { runChecks } = (await import(module)) as typeof page
      return runChecks(url, { collection: 'things' }, 1e-4)
    }, store)
    return [
      ...results,
      {
        title: 'does not complain',
        problem: complaints.filter((text) => !expected?.test(text)).join('\n') || undefined,
      },
    ]
  } finally {
    await tab.close()
  }
}

for (const { name, traits, elsewhere, complaint } of HOSTS) {
  const own = await startHost(world.read, traits)
  const other = elsewhere && (await startHost(world.read, elsewhere))
  const store = `${(other ?? own).origin}/store`
  await test(`${name}: opens`, async () => {
    const results = await checksIn(browser, own.origin, store, complaint)
    for (const { title, problem } of results)
      await test(`${name}: ${title}`, async () => {
        assert.equal(problem, undefined)
      })
  })
  await test(`${name}: sends GET alone`, async () => {
    const methods = new Set([...own.requests, ...(other?.requests ?? [])].map(({ method }) => method))
    assert.deepEqual([...methods], ['GET'])
  })
  await Promise.all([own.close(), other?.close()])
}

await browser.close()
await world.close()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
