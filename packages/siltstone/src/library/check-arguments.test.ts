import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { checkArguments } from './check-arguments.ts'
import type { StoreCollection } from './collection.ts'
import { openStore } from './open-store.ts'
import type { Store } from './store.ts'

/** As a caller without types. */
const anything = (value: unknown): any => value // oxlint-disable-line typescript/no-explicit-any -- what such a caller passes

let store: Store
let notes: StoreCollection

beforeEach(async () => {
  store = await openStore({ environment: memoryEnvironment() })
  notes = await store.createCollection({ name: 'notes' })
})
afterEach(() => store.close())

describe('arguments of another shape', () => {
  it('are explained with a call that is right', async () => {
    const calls: [() => Promise<unknown>, RegExp][] = [
      [
        () => store.createCollection(anything('notes')),
        /createCollection takes one object, and got the string "notes": call createCollection\(\{ name: 'notes' \}\)/,
      ],
      [
        () => store.getOrCreateCollection(anything(undefined)),
        /getOrCreateCollection takes one object, and got nothing/,
      ],
      [() => store.getCollection(anything('notes')), /getCollection takes one object/],
      [() => store.deleteCollection(anything('notes')), /deleteCollection takes one object/],
      [() => notes.query(anything('hello')), /query takes one object, and got the string "hello"/],
      [() => notes.query({ queryTexts: anything('hello') }), /queryTexts is the string "hello": give \["hello"\]/],
      [() => notes.query({ queryEmbeddings: anything('x') }), /queryEmbeddings is the string "x"/],
      [
        () => notes.query({ queryTexts: ['a'], nResults: anything('3') }),
        /nResults is the string "3"; give an integer/,
      ],
      [
        () => notes.query({ queryEmbeddings: anything([1, 2]) }),
        /queryEmbeddings\[0\] is the number 1: give a list of/,
      ],
      [() => notes.get({ ids: anything('a') }), /ids is the string "a": give \["a"\]/],
      [() => notes.peek(anything('x')), /peek takes one object, and got the string "x": call peek\(\{ limit: 10 \}\)/],
      [() => notes.add(anything(['a'])), /add takes one object, and got a list/],
      [() => notes.add(anything({ ids: ['a'], documents: 'text' })), /documents is not a list/],
      [() => notes.get(anything(5)), /get takes one object, and got the number 5/],
      [() => notes.delete(anything(null)), /delete takes one object, and got null/],
      [() => notes.delete({}), /ids is missing; give ids, where or whereDocument/],
      [() => notes.delete({ ids: [] }), /ids is empty; give ids, where or whereDocument/],
      [() => notes.modify(anything('other')), /modify takes one object/],
    ]
    for (const [call, message] of calls)
      await expect(call()).rejects.toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) })
  })

  it('with a name that is misspelt say which one was meant', async () => {
    const calls: [() => Promise<unknown>, string][] = [
      [
        () => notes.query(anything({ queryText: ['a'] })),
        'query has no argument "queryText": did you mean queryTexts?',
      ],
      [
        () => notes.query(anything({ query_texts: ['a'] })),
        'query has no argument "query_texts": did you mean queryTexts?',
      ],
      [
        () => notes.query(anything({ queryTexts: ['a'], nresult: 1 })),
        'query has no argument "nresult": did you mean nResults?',
      ],
      [() => notes.get(anything({ wehre: {} })), 'get has no argument "wehre": did you mean where?'],
      [
        () => notes.upsert(anything({ ids: ['a'], metadata: [{}] })),
        'upsert has no argument "metadata": did you mean metadatas?',
      ],
      [
        () => store.createCollection(anything({ name: 'x', color: 1 })),
        'createCollection has no argument "color": it has name, configuration, metadata, embeddingFunction',
      ],
    ]
    for (const [call, message] of calls)
      await expect(call()).rejects.toMatchObject({ code: 'unknown-argument', message })
    await expect(store.countCollections()).resolves.toBe(1)
  })

  it('that are undefined count as left out', () => {
    expect(() => checkArguments('get', { where: undefined, other: undefined }, ['where'], '')).not.toThrow()
  })
})

describe('a store that was closed', () => {
  it('says so, for itself and for its collections', async () => {
    await notes.add({ ids: ['a'], documents: ['text'] })
    const other = store.in({ tenant: 'default_tenant' })
    await store.close()
    const calls = [
      () => store.createCollection({ name: 'more' }),
      () => store.getCollection({ name: 'notes' }),
      () => store.listCollections(),
      () => store.countCollections(),
      () => store.deleteCollection({ name: 'notes' }),
      () => store.listDatabases(),
      () => other.getCollection({ name: 'notes' }),
      () => notes.add({ ids: ['b'], documents: ['text'] }),
      () => notes.get(),
      () => notes.query({ queryTexts: ['text'] }),
      () => notes.delete({ ids: ['a'] }),
      () => notes.count(),
      () => notes.snapshots(),
      () => notes.compact(),
      () => notes.verify(),
      () => notes.restorePoints(),
      () => notes.modify({ name: 'other' }),
      () => notes.fields(),
    ]
    for (const call of calls)
      await expect(call(), String(call)).rejects.toMatchObject({ kind: 'invalid', code: 'store-closed' })
    await expect(store.close()).resolves.toBeUndefined()
  })
})
