import { expect, it } from 'vitest'
import type { Filter } from '../model/filter.ts'
import { LANGUAGES } from '../model/text-fields.ts'
import { prepare } from '../search/prepare.ts'
import { everythingIndexed } from '../testing/folding-engine.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

/** A phrase in each language, in another form than in the document. */
const PHRASES: Record<(typeof LANGUAGES)[number], [phrase: string, document: string]> = {
  english: ['stone bridge', 'Two STONE BRIDGES'],
  french: ['feuille morte', 'Les feuilles mortes'],
  german: ['rote Rose', 'die roten Rosen'],
  italian: ['rosa rossa', 'delle rose rosse'],
  portuguese: ['rosa vermelha', 'as rosas vermelhas'],
  spanish: ['rosa roja', 'las rosas rojas'],
  swedish: ['svensk flagga', 'svenska flaggor'],
  none: ['Stone Bridge', 'a stone bridge'],
}
/** Found without any configuration, whatever the language is. */
const CHARACTERS: [phrase: string, document: string][] = [
  ['猫', '黒い猫が好き'],
  ['東京', '東京都'],
  ['서울', '서울에서'],
  ['ไทย', 'ภาษาไทย'],
]

it.each(LANGUAGES)(
  'phrases are compared in the language of the documents, in the log and in segments: %s',
  async (language) => {
    const engine = await StoreEngine.open({ env: memoryEnvironment(), compact: everythingIndexed })
    const schema = { text: { '#document': { language } } }
    const { info } = await engine.catalog.createCollection(collectionRequest('things', { schema }))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    const phrases = [PHRASES[language], ...CHARACTERS]
    await collection.write(phrases.map(([, document], i) => upsert(`r${i}`, [i, 1], { document })))
    await collection.write([upsert('other', [9, 9], { document: 'bridge stone, rosa, Rose, feuille, flagga' })])
    for (const state of ['log', 'segments']) {
      for (const [i, [text]] of phrases.entries()) {
        const filter: Filter = { kind: 'document-phrase', negated: false, text }
        expect((await collection.get({ filter, include: {} })).ids, `${state} ${text}`).toEqual([`r${i}`])
        const near = { vectors: [Float32Array.of(9, 9)], k: 9, include: {} }
        expect((await collection.query({ ...near, filter })).hits[0]?.ids, `${state} ${text}`).toEqual([`r${i}`])
        const select = { documents: false, embeddings: false, metadatas: false, scores: false }
        const searches = await prepare([{ filter, offset: 0, select }], {
          schema: collection.info.schema,
          needsIndex: true,
          embed: async () => [],
        })
        expect((await collection.search({ searches })).results[0]?.ids, `${state} ${text}`).toEqual([`r${i}`])
      }
      await engine.compact(pathOf(info))
    }
    const filter: Filter = { kind: 'document-phrase', negated: true, text: PHRASES[language][0] }
    expect((await collection.delete({ filter })).deleted).toBe(phrases.length)
    expect((await collection.get({ include: {} })).ids).toEqual(['r0'])
    await engine.close()
  },
)
