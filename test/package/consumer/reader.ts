/** Reads a store's directory through a static host, as a page or a function does. Argument: a directory. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { isSiltstoneError, knn, open } from '@siltstone/reader'
import { openStore } from 'siltstone'

const directory = process.argv[2] ?? assert.fail('a directory is needed')
const store = await openStore(directory, { compaction: 'off' })
const notes = await store.createCollection({ name: 'notes', embeddingFunction: null })
const ids = Array.from({ length: 2_000 }, (_, i) => `note-${i}`)
await notes.upsert({
  ids,
  embeddings: ids.map((_, i) => [Math.cos(i), Math.sin(i), Math.sin(i / 7), 1]),
  documents: ids.map((_, i) => `note number ${i} about ${i % 2 === 0 ? 'silt' : 'stone'}`),
  metadatas: ids.map((_, i) => ({ part: i % 5 })),
})
await notes.compact()
await store.close()

const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? '/')
  readFile(join(directory, path)).then(
    (file) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      const part = first === undefined ? file : file.subarray(Number(first), Number(last) + 1)
      const range = first === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${file.length}` }
      response.writeHead(first === undefined ? 200 : 206, range).end(part)
    },
    () => response.writeHead(404).end(),
  )
})
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve)
})
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const read = await open(url, { collection: 'notes' })
assert.equal(await read.count(), 2_000)
const near = await read.query({
  queryEmbeddings: [[Math.cos(77), Math.sin(77), Math.sin(11), 1]],
  nResults: 1,
  where: { part: 2 },
})
assert.deepEqual(near.ids, [['note-77']])
const words = await read.search({
  rank: knn({ query: 'number 1234', key: '#document' }),
  limit: 1,
  select: ['#document'],
})
assert.equal(words.rows()[0]?.[0]?.document, 'note number 1234 about silt')
const matching = await read.get({ whereDocument: { $regex: 'number 1[0-9]{3} .*stone' }, include: [] })
assert.equal(matching.ids.length, 500)
await assert.rejects(open(url, { collection: 'none' }), (error) => isSiltstoneError(error, 'not-found'))
server.closeAllConnections()
server.close()
console.log('done')
