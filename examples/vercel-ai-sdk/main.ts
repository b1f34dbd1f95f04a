/** The Vercel AI SDK with a Siltstone collection as a tool: the model decides what to look up. */
import { readFile } from 'node:fs/promises'
import { generateText, stepCountIs, tool } from 'ai'
import { openStore } from 'siltstone'
import { z } from 'zod'
import { scriptedModel } from './scripted-model.ts'

const store = await openStore(process.env['DATA'] ?? './data')
try {
  const docs = await store.getOrCreateCollection({ name: 'handbook' })
  const passages = JSON.parse(await readFile(new URL('passages.json', import.meta.url), 'utf8')) as {
    id: string
    text: string
    source: string
  }[]
  await docs.upsert({
    ids: passages.map(({ id }) => id),
    documents: passages.map(({ text }) => text),
    metadatas: passages.map(({ source }) => ({ source })),
  })

  const searchHandbook = tool({
    description: 'Finds passages of the handbook by meaning.',
    inputSchema: z.object({ question: z.string(), limit: z.number().int().min(1).max(10).default(2) }),
    execute: async ({ question, limit }) => {
      const rows = (await docs.query({ queryTexts: [question], nResults: limit })).rows()[0] ?? []
      return rows.map(({ id, document, distance }) => ({ id, document, distance: Number(distance?.toFixed(3)) }))
    },
  })

  const { text, steps } = await generateText({
    // Put your provider's model here.
    model: scriptedModel(),
    tools: { searchHandbook },
    stopWhen: stepCountIs(3),
    prompt: 'How long may I return a parcel?',
  })
  for (const { toolName, input, output } of steps.flatMap(({ toolResults }) => toolResults))
    console.log(`${toolName}(${JSON.stringify(input)})\n  → ${JSON.stringify(output)}`)
  console.log(text)
} finally {
  await store.close()
}
