/** Reads in Chromium what static hosts serve. A page must not complain, and a host must not see a HEAD or a preflight. */
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'
import { testBucket } from './bucket.ts'
import type * as page from './page.ts'
import { testSearchBox } from './search-box.ts'
import { type HostTraits, startHost } from './static-host.ts'
import { testWatch } from './watch.ts'
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
interface Visit {
  origin: string
  /** What the browser itself reports of the host. */
  complaint: RegExp | undefined
}

/** Runs one function of `page.ts` in a new tab. */
async function inPage<Name extends 'runChecks' | 'askTexts'>(
  name: Name,
  args: Parameters<(typeof page)[Name]>,
  { origin, complaint }: Visit,
): Promise<Awaited<ReturnType<(typeof page)[Name]>>> {
  const tab = await browser.newPage()
  const complaints: string[] = []
  tab.on('console', (message) => complaints.push(message.text()))
  tab.on('pageerror', (error) => complaints.push(String(error)))
  try {
    await tab.goto(`${origin}/index.html`)
    const result = await tab.evaluate(
      async (call) => {
        // A variable, so that the compiler does not look for the module here.
        const module = '/page.js'
        const functions = (await import(module)) as Record<string, (...given: unknown[]) => Promise<unknown>>
        return functions[call.name]?.(...call.args)
      },
      { name, args: args as unknown[] },
    )
    assert.deepEqual(
      complaints.filter((text) => !complaint?.test(text)),
      [],
    )
    return result as Awaited<ReturnType<(typeof page)[Name]>>
  } finally {
    await tab.close()
  }
}

const QUESTIONS = ['why do streams drop mud?', 'how is a dessert baked?', 'AB-1234']

for (const { name, traits, elsewhere, complaint } of HOSTS) {
  const own = await startHost(world.read, traits)
  const other = elsewhere && (await startHost(world.read, elsewhere))
  const visit = { origin: own.origin, complaint }
  const from = (other ?? own).origin
  for (const [what, url, options, tolerance] of [
    ['store', `${from}/store`, { collection: 'things' }, 1e-4],
    ['published', `${from}/pages`, {}, 0.1],
  ] as const)
    await test(`${name}, ${what}: opens, without complaint`, async () => {
      for (const { title, problem } of await inPage('runChecks', [url, options, tolerance], visit))
        await test(`${name}, ${what}: ${title}`, async () => {
          assert.equal(problem, undefined)
        })
    })
  await test(`${name}: answers texts by meaning and by words`, async () => {
    const answers = await inPage('askTexts', [`${from}/texts/`, QUESTIONS], visit)
    assert.deepEqual(answers.toSpliced(2, 1), ['silt', 'bread', 'invoice', 'invoice'])
  })
  await test(`${name}: sends GET alone`, async () => {
    const methods = new Set([...own.requests, ...(other?.requests ?? [])].map(({ method }) => method))
    assert.deepEqual([...methods], ['GET'])
  })
  await Promise.all([own.close(), other?.close()])
}

await testSearchBox(test, browser, world)
await testBucket(test, browser, world)
await testWatch(test)
await browser.close()
await world.close()
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
