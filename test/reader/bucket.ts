/**
 * A store's own bucket, on an S3 of another project, read by pages of another origin as of its last snapshot. A bucket policy lets everybody
 * get what `docs/how-to/read-without-a-server.md` names, and a CORS rule lets one origin read the answers; the emulator keeps to both.
 */
import assert from 'node:assert/strict'
import { DeletePublicAccessBlockCommand, PutBucketCorsCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { CREDENTIALS, definitions, install, openBucket, type RunningServer, start } from '@siltstone/emulated-aws'
import { records } from '@siltstone/reader/testing'
import type { Browser, Page } from 'playwright-core'
import { openStore } from 'siltstone'
import { silentLogger } from 'siltstone/internal'
import { parseS3Place, s3Client } from 'siltstone/internal/aws'
import type * as page from './page.ts'
import { startHost } from './static-host.ts'
import type { World } from './world.ts'

type Test = (name: string, run: () => Promise<void>) => Promise<void>

/** Calls a function of `page.ts` in a tab. */
function call<Name extends 'runChecks' | 'stateOf' | 'refreshedState' | 'problemOf'>(
  tab: Page,
  name: Name,
  ...args: Parameters<(typeof page)[Name]>
): ReturnType<(typeof page)[Name]> {
  return tab.evaluate(
    async (asked) => {
      const module = '/page.js'
      const functions = (await import(module)) as Record<string, (...given: unknown[]) => Promise<unknown>>
      return functions[asked.name]?.(...asked.args)
    },
    { name, args: args as unknown[] },
  ) as ReturnType<(typeof page)[Name]>
}

export async function testBucket(test: Test, browser: Browser, world: World): Promise<void> {
  const [definition] = definitions
  assert.ok(definition)
  await install(definition)
  const server = await start(definition)
  try {
    await testOn(server, test, browser, world)
  } finally {
    await server.stop()
  }
}

async function testOn(server: RunningServer, test: Test, browser: Browser, world: World): Promise<void> {
  Object.assign(process.env, CREDENTIALS, { AWS_ENDPOINT_URL: server.endpoint })
  const bucket = await openBucket({ name: server.name, endpoint: server.endpoint })
  const place = bucket.url()
  const prefix = place.slice('s3://'.length)
  const [allowed, other] = [await startHost(world.read), await startHost(world.read)]
  const client = s3Client(parseS3Place(place, process.env), { log: silentLogger })
  await client.send(new DeletePublicAccessBlockCommand({ Bucket: bucket.name }))
  await client.send(
    new PutBucketPolicyCommand({
      Bucket: bucket.name,
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 's3:GetObject',
            Resource: ['catalog', 'snapshot'].map((room) => `arn:aws:s3:::${prefix}/${room}/*`),
          },
        ],
      }),
    }),
  )
  await client.send(
    new PutBucketCorsCommand({
      Bucket: bucket.name,
      CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: [allowed.origin] }] },
    }),
  )
  const store = await openStore(place, { compaction: 'off' })
  const things = await store.createCollection({ name: 'things', embeddingFunction: null })
  const all = records()
  await things.add({
    ids: all.map(({ id }) => id),
    embeddings: all.map(({ embedding }) => embedding),
    documents: all.map(({ document }) => document),
    metadatas: all.map(({ metadata }) => metadata),
    uris: all.map(({ uri }) => uri),
  })
  await things.compact()
  const url = `${server.endpoint}/${prefix}`
  const openTab = async (origin: string) => {
    const tab = await browser.newPage()
    await tab.goto(`${origin}/index.html`)
    return tab
  }
  const tab = await openTab(allowed.origin)
  await test(`${server.name}, a page of an allowed origin: reads`, async () => {
    const options = { collection: 'things' }
    for (const { title, problem } of await call(tab, 'runChecks', url, options, 1e-4))
      await test(`${server.name}, a page of an allowed origin: ${title}`, async () => {
        assert.equal(problem, undefined)
      })
  })
  await test(`${server.name}: sees the last snapshot until it looks for a newer one`, async () => {
    const before = await call(tab, 'stateOf', url, 'things', 'record-3')
    assert.deepEqual([before.version, before.count, before.documents], [1, all.length, [all[3]?.document]])
    const embeddings = [all[3]?.embedding ?? []]
    await things.update({ ids: ['record-3'], documents: ['Changed later.'], embeddings })
    await things.delete({ ids: ['record-4'] })
    assert.deepEqual(await call(tab, 'refreshedState', 'record-3'), { ...before, isNewer: false })
    await things.compact()
    assert.deepEqual(await call(tab, 'stateOf', url, 'things', 'record-3'), {
      version: 3,
      count: all.length - 1,
      documents: ['Changed later.'],
    })
    await things.update({ ids: ['record-3'], documents: ['Changed again.'], embeddings })
    await things.compact({ full: true })
    const after = { version: 4, count: all.length - 1, documents: ['Changed again.'], isNewer: true }
    assert.deepEqual(await call(tab, 'refreshedState', 'record-3'), after)
  })
  await test(`${server.name}: tells a page of another origin that the host may not allow it`, async () => {
    const refused = await openTab(other.origin)
    assert.deepEqual(await call(refused, 'problemOf', url, 'things'), ['unavailable', 'host-unreachable'])
    await refused.close()
  })
  await test(`${server.name}: says that a collection is not there`, async () => {
    // AWS refuses what a bucket that may not be listed does not have: then it is `access-denied`. The emulator answers 404.
    assert.deepEqual(await call(tab, 'problemOf', url, 'nothing'), ['not-found', 'collection-missing'])
  })
  await tab.close()
  await store.close()
  client.destroy()
  await bucket.dispose()
  await Promise.all([allowed.close(), other.close()])
}
