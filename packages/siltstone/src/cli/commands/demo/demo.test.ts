import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChromaClient } from 'chromadb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { siltstoneProcess, start } from '../../testing/run.ts'
import { passagesOf } from '../../../ingest/index.ts'
import { ownDocuments } from './sources.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-demo-test-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const TEXT = `Before any heading there are some words that introduce the whole document to its readers.

# Rivers

Sediment settles where the water slows down, and layer after layer turns to stone over the ages.

\`\`\`js
const code = 'is left out of every passage, however long the line may be that it stands on'
\`\`\`

## How *dunes* move
A [dune](https://example.org) wanders with the wind, because grains are lifted on one side and dropped on the other.
`

describe('passages', () => {
  it('know their source, heading and position, and hold neither code nor marks', () => {
    const passages = passagesOf({ source: 'geo.md', packageName: undefined, hash: '', text: TEXT })
    expect(passages.map(({ heading, position }) => [heading, position])).toEqual([
      ['', 1],
      ['Rivers', 2],
      ['How dunes move', 3],
    ])
    expect(passages[2]?.text).toMatch(/^A dune wanders with the wind/)
    expect(passages.map(({ text }) => text).join()).not.toContain('left out')
  })

  it('join short paragraphs and cut long ones', () => {
    const short = Array.from({ length: 30 }, (_, i) => `Paragraph ${i} has a few words only, as they often have.`).join(
      '\n\n',
    )
    const lengths = passagesOf({ source: 'a', packageName: undefined, hash: '', text: short }).map(
      ({ text }) => text.length,
    )
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThanOrEqual(350)
    const words = Array.from({ length: 1_000 }, (_, i) => `word${i}`).join(' ')
    const long = passagesOf({ source: 'a', packageName: undefined, hash: '', text: words }).map(({ text }) => text)
    expect(Math.max(...long.map(({ length }) => length))).toBeLessThanOrEqual(1_200)
    expect(long.join(' ')).toBe(words)
  })
})

it('takes text files of a folder once each, and passes over what is installed there', async () => {
  await mkdir(join(directory, 'node_modules', 'x'), { recursive: true })
  await mkdir(join(directory, 'deep'))
  await Promise.all([
    writeFile(join(directory, 'node_modules', 'x', 'README.md'), TEXT),
    writeFile(join(directory, 'deep', 'copy.md'), TEXT),
    writeFile(join(directory, 'one.md'), TEXT),
    writeFile(join(directory, 'data.bin'), 'not text'),
  ])
  const { files, duplicates } = await ownDocuments(directory)
  expect([files.map(({ source }) => source), duplicates]).toEqual([[join(directory, 'one.md')], 1])
})

it('goes the whole way with the packages that are installed here, and ends by itself with --once', async () => {
  const { code, out, err } = await siltstoneProcess(['demo', '--once', '--json', '--data', join(directory, 'store')])
  expect([code, err]).toEqual([0, ''])
  const shown = JSON.parse(out) as {
    answers: { question: string; passages: { source: string; distance: number }[] }[]
    threeWays: { ways: { way: string; passages: { source: string; found: string }[] }[] }
    bucket: { what: string; objects: number }[]
    steps: { step: string }[]
  }
  const best = Object.fromEntries(
    shown.answers.map(({ question, passages }) => [question.slice(0, 20), passages[0]?.source]),
  )
  expect(best).toMatchObject({
    'Which kind of id can': expect.stringContaining('ulid/'),
    'Can a web server pus': expect.stringContaining('node-server/'),
    'What becomes of circ': expect.stringContaining('safe-stable-stringify/'),
    'How does a program r': expect.stringContaining('commander/'),
  })
  expect(shown.threeWays.ways.map(({ way }) => way)).toEqual(['by meaning', 'by words', 'by both'])
  for (const { passages } of shown.threeWays.ways) expect(passages[0]?.source).toContain('bigint')
  expect(shown.threeWays.ways[1]?.passages[0]?.found).toContain('BigInt')
  expect(shown.steps.map(({ step }) => step)).toEqual(['read', 'embed', 'produce', 'write', 'compact'])
  expect(shown.bucket.map(({ objects }) => objects)).not.toContain(0)
  expect(await siltstoneProcess(['verify', '--data', join(directory, 'store')])).toMatchObject({ code: 0 })
})

it('serves a folder of one’s own until it is stopped', async () => {
  await writeFile(join(directory, 'geo.md'), TEXT)
  const child = start(['demo', directory, '--port', '0'])
  const exited = once(child, 'exit')
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (out.includes('HttpClient')) break
  }
  expect(out).toContain('What is said about “How dunes move”?')
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(out)?.[1])
  const docs = await new ChromaClient({ host: '127.0.0.1', port }).getCollection({ name: 'docs' })
  expect(await docs.count()).toBe(3)
  const [, store = ''] = /demo, in (\S+)/.exec(out) ?? []
  expect((await readdir(store)).length).toBeGreaterThan(0)
  child.kill('SIGINT')
  expect(await exited).toEqual([0, null])
  await expect(readdir(store)).rejects.toMatchObject({ code: 'ENOENT' })
})
