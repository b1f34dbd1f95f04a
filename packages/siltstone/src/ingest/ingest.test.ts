import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EnglishEmbedder } from '../embed/index.ts'
import { systemModels } from '../host/model-host.ts'
import { ModelEngine } from '../testing/model.ts'
import { collectionRequest } from '../testing/operations.ts'
import { eachDocument, findDocuments, Ingest, newTally, passagesOf } from './index.ts'

const file = (text: string) => ({ source: 'a.md', packageName: undefined, text, hash: '0' })
const LIMITS = { files: 1_000, bytes: 1e9, fileBytes: 1e6 }

describe('passages', () => {
  it('have their heading and position, and no markup', () => {
    const text = `---\ntitle: x\n---\n# Silt\n\nRivers carry **fine** grains to the [sea](http://sea), where they sink to the ground slowly.\n\n\`\`\`sh\nrm -rf /\n\`\`\`\n\n## Stone\n\n${'Pressure turns what has settled into stone over a very long time. '.repeat(8)}`
    const [first, ...rest] = passagesOf(file(text))
    expect(first).toMatchObject({
      id: 'a.md#1',
      heading: 'Silt',
      position: 1,
      text: 'Rivers carry fine grains to the sea, where they sink to the ground slowly.',
    })
    expect(rest.length).toBeGreaterThan(0)
    expect(rest.every(({ heading }) => heading === 'Stone')).toBe(true)
  })

  it('lose no word of plain paragraphs, and stay short', () => {
    const word = fc.stringMatching(/^[a-z]{3,12}$/)
    const paragraph = fc.array(word, { minLength: 12, maxLength: 400 })
    fc.assert(
      fc.property(fc.array(paragraph, { minLength: 1, maxLength: 5 }), (paragraphs) => {
        const passages = passagesOf(file(paragraphs.map((words) => words.join(' ')).join('\n\n')))
        const kept = passages.flatMap(({ text }) => text.split(' '))
        const all = paragraphs.flat()
        // Only a last piece of a few characters may be missing.
        expect(all.slice(0, kept.length).join(' ')).toBe(kept.join(' '))
        expect(all.slice(kept.length).join(' ').length).toBeLessThan(50)
        for (const { text } of passages) expect(text.length).toBeLessThanOrEqual(1_600)
      }),
    )
  })
})

describe('ingesting', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'siltstone-ingest-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const paragraphs = (...topics: string[]) =>
    topics
      .map((topic) => `${topic} ${'is described here in as many words as it takes to fill a passage. '.repeat(7)}`)
      .join('\n\n')

  async function setUp() {
    const engine = new ModelEngine()
    const { info } = await engine.catalog.createCollection(collectionRequest('texts'))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    const embedder = new EnglishEmbedder({ models: systemModels })
    const ingest = async () => {
      const work = new Ingest({ collection, embedder: async () => embedder })
      for await (const document of eachDocument(await findDocuments([folder]), LIMITS, newTally()))
        await work.file(document)
      await work.flush()
      const withoutText = work.withoutText.map((source) => source.slice(folder.length + 1))
      return withoutText.length === 0 ? work.counts : { ...work.counts, withoutText }
    }
    return {
      collection,
      ingest,
      sources: async () =>
        (await collection.get({ include: {} })).ids.map((id) => id.slice(folder.length + 1)).toSorted(),
    }
  }

  it('replaces changed files, removes obsolete passages, and skips unchanged files', async () => {
    const { ingest, sources } = await setUp()
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'a.md'), paragraphs('Sand', 'Clay', 'Gravel'))
    writeFileSync(join(folder, 'sub/a.md'), paragraphs('Granite'))
    expect(await ingest()).toEqual({ files: 2, passages: 4, unchanged: 0, removed: 0 })
    expect(await sources()).toEqual(['a.md#1', 'a.md#2', 'a.md#3', 'sub/a.md#1'])
    writeFileSync(join(folder, 'a.md'), paragraphs('Sand'))
    expect(await ingest()).toEqual({ files: 1, passages: 1, unchanged: 1, removed: 2 })
    expect(await sources()).toEqual(['a.md#1', 'sub/a.md#1'])
  })

  it('takes files of a few words, and names those without any', async () => {
    const { collection, ingest } = await setUp()
    writeFileSync(join(folder, 'note.txt'), 'Buy milk.\n')
    writeFileSync(join(folder, 'list.md'), '# Tuesday\n\nBread and salt\n\n# Friday\n\n17:30\n')
    writeFileSync(join(folder, 'empty.txt'), ' \n')
    writeFileSync(join(folder, 'code.md'), '# Code\n\n```sh\nls\n```\n')
    const counts = { files: 2, passages: 3, unchanged: 0, removed: 0, withoutText: ['code.md', 'empty.txt'] }
    expect(await ingest()).toEqual(counts)
    const { documents } = await collection.get({ include: { documents: true } })
    expect(documents?.toSorted()).toEqual(['17:30', 'Bread and salt', 'Buy milk.'])
    expect(await ingest()).toEqual({ ...counts, files: 0, passages: 0, unchanged: 2 })
    // A file that has lost its text loses its passages.
    writeFileSync(join(folder, 'note.txt'), '')
    expect(await ingest()).toMatchObject({ removed: 1, withoutText: ['code.md', 'empty.txt', 'note.txt'] })
    expect(await collection.count()).toBe(2)
  })

  it('names a missing path', async () => {
    await expect(findDocuments([join(folder, 'nothing')])).rejects.toMatchObject({
      kind: 'not-found',
      code: 'no-documents',
    })
    await expect(findDocuments([folder])).rejects.toMatchObject({ kind: 'not-found' })
  })
})
