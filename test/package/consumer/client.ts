/** The `chromadb` client against the installed server. Argument: its address. */
import assert from 'node:assert/strict'
import { ChromaClient, type EmbeddingFunction } from 'chromadb'
import { SiltstoneEnglishEmbeddingFunction } from 'siltstone'

const { hostname, port } = new URL(process.argv[2] ?? assert.fail('an address is needed'))
const client = new ChromaClient({ host: hostname, port: Number(port) })
const plain = await client.createCollection({ name: 'plain', embeddingFunction: null })
await plain.add({
  ids: ['a', 'b'],
  embeddings: [
    [1, 0],
    [0, 1],
  ],
  metadatas: [{ n: 1 }, { n: 2 }],
})
assert.equal(await plain.count(), 2)
assert.deepEqual((await plain.query({ queryEmbeddings: [[0, 2]], nResults: 1, where: { n: { $gt: 0 } } })).ids, [['b']])
await plain.delete({ ids: ['a'] })
assert.deepEqual((await plain.get()).ids, ['b'])

const english: EmbeddingFunction = new SiltstoneEnglishEmbeddingFunction()
const texts = await client.createCollection({ name: 'texts', embeddingFunction: english })
await texts.add({ ids: ['mud', 'cat'], documents: ['Silt settles where water slows down.', 'The cat sleeps.'] })
assert.deepEqual((await texts.query({ queryTexts: ['why do rivers drop mud?'], nResults: 1 })).ids, [['mud']])
console.log('done')
