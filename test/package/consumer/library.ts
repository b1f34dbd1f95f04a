/**
 * The README's library example, and compaction. Arguments: a directory, and the names of the warnings and errors that are
 * expected in the log.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type GetRow, isSiltstoneError, openStore, type Where } from 'siltstone'

const [directory = assert.fail('a directory is needed'), ...expected] = process.argv.slice(2)
const problems: { event: string; fields: object }[] = []
const note = (event: string, fields: object = {}) => void problems.push({ event, fields })
const quiet = () => {}
const store = await openStore(directory, { logger: { debug: quiet, info: quiet, warn: note, error: note } })
const notes = await store.getOrCreateCollection({ name: 'notes' })
await notes.upsert({
  ids: ['a', 'b', 'c'],
  documents: ['Silt settles slowly.', 'Rivers carry sand.', 'The cat sleeps on the sofa.'],
  metadatas: [{ page: 1 }, { page: 2, tags: ['water'] }, null],
})
const found = await notes.query({ queryTexts: ['What do streams transport?'], nResults: 1 })
assert.deepEqual(found.ids, [['b']])
const where: Where = { page: { $gte: 2 } }
const rows: GetRow[] = (await notes.get({ where, include: ['documents', 'embeddings'] })).rows()
assert.deepEqual(
  rows.map(({ id, document }) => [id, document]),
  [['b', 'Rivers carry sand.']],
)
assert.equal(rows[0]?.embedding?.length, 256)
await assert.rejects(store.getCollection({ name: 'nothing' }), (error) => isSiltstoneError(error, 'not-found'))

// Compaction folds the writes by itself.
for (let i = 0; (await notes.getIndexingStatus()).unindexedOps > 0; i++) {
  assert.ok(i < 600, `nothing was folded within a minute: ${JSON.stringify(problems)}`)
  await setTimeout(100)
}
assert.ok(readdirSync(directory, { recursive: true }).some((name) => String(name).includes('/segment/')))
assert.equal(await notes.count(), 3)
await store.close()
assert.deepEqual(
  problems.map(({ event }) => event),
  expected,
  JSON.stringify(problems),
)
console.log('done')
