import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Scope } from './scope.ts'

export function registerPrompts(server: McpServer, { canWrite, toolPrefix = '' }: Scope): void {
  server.registerPrompt(
    'recall_about',
    {
      title: 'Recall about a topic',
      description: 'Collects what is stored about a topic, with the ids of the sources',
      argsSchema: z.object({ topic: z.string(), collection: z.string().optional() }),
    },
    ({ topic, collection }) =>
      asked(
        `What is stored about ${JSON.stringify(topic)}? ` +
          `${collection === undefined ? `Choose collections with ${toolPrefix}collections, then` : `In the collection ${JSON.stringify(collection)},`} ` +
          `search with ${toolPrefix}search in two or three different wordings, read what matters with ${toolPrefix}get, ` +
          'and answer in a few sentences with the ids in brackets. Say so if nothing near was found.',
      ),
  )
  if (!canWrite) return
  server.registerPrompt(
    'save_session_notes',
    {
      title: 'Save notes of this session',
      description: 'Stores decisions, facts and open points of this conversation',
      argsSchema: z.object({ collection: z.string() }),
    },
    ({ collection }) =>
      asked(
        `Store what should outlive this conversation in the collection ${JSON.stringify(collection)}: decisions with their ` +
          `reasons, facts, open points. Each with one call of ${toolPrefix}remember: one self-contained text of one to three ` +
          'sentences, with metadata {"kind": "decision" | "fact" | "open", "topic": …}. Where `similar` in the answer shows an ' +
          `outdated record, change it with ${toolPrefix}update instead of keeping both. Then list the ids.`,
      ),
  )
}

function asked(text: string) {
  return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }] }
}
