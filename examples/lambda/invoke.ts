/** Calls the handler as Lambda does, on a directory instead of a bucket. */
import { openStore } from 'siltstone'
import { handler } from './handler.ts'

process.env['SILTSTONE_DATA'] = process.env['DATA'] ?? './data'
const store = await openStore(process.env['SILTSTONE_DATA'])
const notes = await store.getOrCreateCollection({ name: 'notes' })
await notes.upsert({ ids: ['a', 'b'], documents: ['Silt settles slowly.', 'Rivers carry sand.'] })
await store.close()

for (const event of [
  { body: JSON.stringify({ text: 'What do streams transport?', limit: 1 }) },
  { body: Buffer.from(JSON.stringify({ text: 'sediment', limit: 1 })).toString('base64'), isBase64Encoded: true },
  { body: 'not JSON' },
]) {
  const { statusCode, body } = await handler(event)
  console.log(statusCode, body)
}
process.exit(0)
