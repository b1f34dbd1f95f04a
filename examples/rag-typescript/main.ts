/** Retrieval-augmented generation with the library: no server, no account, no model to download. */
import { readFile } from 'node:fs/promises'
import { openStore } from 'siltstone'

interface Passage {
  id: string
  text: string
  source: string
}

const store = await openStore(process.env['DATA'] ?? './data')
try {
  const docs = await store.getOrCreateCollection({ name: 'handbook' })
  const passages = JSON.parse(await readFile(new URL('passages.json', import.meta.url), 'utf8')) as Passage[]
  await docs.upsert({
    ids: passages.map(({ id }) => id),
    documents: passages.map(({ text }) => text),
    metadatas: passages.map(({ source }) => ({ source })),
  })
  for (const question of process.argv.slice(2).length > 0
    ? process.argv.slice(2)
    : ['How long may I return a parcel?', 'Who pays when something arrives broken?'])
    await answer(question)

  async function answer(question: string): Promise<void> {
    const found = (await docs.query({ queryTexts: [question], nResults: 2 })).rows()[0] ?? []
    console.log(`Question: ${question}`)
    for (const { document, metadata } of found) console.log(`  [${metadata?.['source'] as string}] ${document}`)
    console.log(
      `  ${await generate(
        promptOf(
          question,
          found.map(({ document }) => document ?? ''),
        ),
      )}`,
    )
  }
} finally {
  await store.close()
}

function promptOf(question: string, passages: readonly string[]): string {
  return `Answer from these passages only.\n\n${passages.join('\n')}\n\nQuestion: ${question}`
}

/** Put your model here. Without one, the example tells what it would send. */
async function generate(prompt: string): Promise<string> {
  return `A model would get ${prompt.split('\n').length} lines.`
}
