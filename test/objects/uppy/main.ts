/** Uploads with Uppy in Chromium, presigned, to `siltstone serve --objects`. Ends with `N passed, N failed`. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { chromium, type Page } from 'playwright-core'
import { startPageServer } from './page-server.ts'

/** What `page.js` offers. */
interface Uploads {
  add(name: string, type: string, content: Blob): void
  upload(): Promise<{ successful: string[]; failed: string[] }>
  /** Resolves when the part was sent. */
  pauseAfterPart(part: number): Promise<void>
  resume(): void
}

const MAIN = fileURLToPath(new URL('../../../packages/siltstone/src/cli/main.ts', import.meta.url))
const MIB = 1024 * 1024
const Bucket = 'media'
const credentials = { accessKeyId: 'BROWSERKEY', secretAccessKey: 'a secret for the tests' }

const folder = await mkdtemp(join(tmpdir(), 'siltstone-uppy-'))
await writeFile(join(folder, 'keys.json'), JSON.stringify([credentials]))
const { child, url } = await serve()
const s3 = new S3Client({
  endpoint: url,
  region: 'us-east-1',
  credentials,
  forcePathStyle: true,
  // By default the SDK signs the checksum of an empty body into a URL.
  requestChecksumCalculation: 'WHEN_REQUIRED',
})
await s3.send(new CreateBucketCommand({ Bucket }))
const server = await startPageServer(s3, Bucket)
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: ['--no-sandbox'] })
let passed = 0
let failed = 0

async function test(name: string, run: (page: Page, complaints: string[]) => Promise<void>): Promise<void> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  server.signed.length = 0
  try {
    await page.goto(server.origin)
    await run(page, complaints)
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}\n${String(error instanceof Error ? error.stack : error)}\n${complaints.join('\n')}`)
  } finally {
    await page.close()
  }
}

/** Bytes of a file, made alike in the page and here. */
const content = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (at * seed + (at >> 8)) & 255)

async function upload(page: Page, name: string, size: number, seed: number, pauseAfter?: number) {
  return page.evaluate(
    async (file) => {
      const { uploads } = globalThis as unknown as { uploads: Uploads }
      const bytes = Uint8Array.from({ length: file.size }, (_, at) => (at * file.seed + (at >> 8)) & 255)
      uploads.add(file.name, 'text/plain', new Blob([bytes]))
      const paused = file.pauseAfter === undefined ? undefined : uploads.pauseAfterPart(file.pauseAfter)
      const uploaded = uploads.upload()
      if (paused !== undefined) {
        await paused
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
        uploads.resume()
      }
      return uploaded
    },
    { name, size, seed, pauseAfter },
  )
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function stored(Key: string) {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
  const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array(0)
  return { hash: hashOf(bytes), type: got.ContentType, etag: got.ETag ?? '' }
}

const kinds = () =>
  server.signed.map(({ method, uploadId }) => `${method} ${uploadId === undefined ? 'object' : 'upload'}`)

await test('without rules for its origin, a page uploads nothing', async (page) => {
  const { successful } = await upload(page, 'refused.txt', 10, 3)
  assert.deepEqual(successful, [])
  const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket }))
  assert.equal(KeyCount, 0)
})

await s3.send(
  new PutBucketCorsCommand({
    Bucket,
    CORSConfiguration: {
      CORSRules: [
        {
          AllowedOrigins: [server.origin],
          AllowedMethods: ['GET', 'PUT', 'POST', 'DELETE'],
          AllowedHeaders: ['*'],
          ExposeHeaders: ['ETag', 'Location'],
        },
      ],
    },
  }),
)

await test('a small file is one PUT', async (page, complaints) => {
  const name = 'über uns + mehr.txt'
  assert.deepEqual(await upload(page, name, 1_000, 7), { successful: [name], failed: [] })
  const { hash, type } = await stored(`uploads/${name}`)
  assert.deepEqual([hash, type], [hashOf(content(1_000, 7)), 'text/plain'])
  assert.deepEqual([kinds(), complaints], [['PUT object'], []])
})

await test('a large file is sent in parts', async (page, complaints) => {
  const size = 12 * MIB + 5
  assert.deepEqual(await upload(page, 'large.txt', size, 11), { successful: ['large.txt'], failed: [] })
  const { hash, type, etag } = await stored('uploads/large.txt')
  assert.deepEqual([hash, type], [hashOf(content(size, 11)), 'text/plain'])
  assert.match(etag, /-3"$/)
  assert.deepEqual(complaints, [])
  assert.equal(kinds()[0], 'POST object')
  assert.equal(kinds().at(-1), 'POST upload')
})

await test('an upload that is paused goes on with the parts that are missing', async (page, complaints) => {
  const size = 21 * MIB
  assert.deepEqual(await upload(page, 'paused.txt', size, 13, 1), { successful: ['paused.txt'], failed: [] })
  assert.equal((await stored('uploads/paused.txt')).hash, hashOf(content(size, 13)))
  assert.ok(kinds().includes('GET upload'), `the parts were not listed: ${kinds().join(', ')}`)
  const { Uploads: left } = await s3.send(new ListMultipartUploadsCommand({ Bucket }))
  assert.deepEqual([left ?? [], complaints], [[], []])
})

await browser.close()
await server.close()
s3.destroy()
const ended = once(child, 'exit')
child.kill()
await ended
await rm(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function serve(): Promise<{ child: ChildProcess; url: string }> {
  const place = ['--data', join(folder, 'data'), '--port', '0', '--objects-port', '0']
  const options = [
    '--objects',
    '--objects-keys',
    join(folder, 'keys.json'),
    '--no-objects-processing',
    '--no-compaction',
  ]
  const started = spawn(process.execPath, [MAIN, 'serve', ...place, ...options, '--log-level', 'warn', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of started.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) return { child: started, url: (JSON.parse(out) as { objects: { url: string } }).objects.url }
  }
  throw new Error(`The server ended: ${out}`)
}
