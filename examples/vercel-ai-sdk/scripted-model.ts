/**
 * Stands for a language model, so that the example runs offline: it first calls the tool with the user's question, then
 * repeats the first passage that the tool found.
 */
import type { LanguageModel } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'

const usage = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
}

export function scriptedModel(): LanguageModel {
  return new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const last = prompt.at(-1)
      if (last?.role === 'tool') {
        const [part] = last.content
        const found = part?.type === 'tool-result' && part.output.type === 'json' ? part.output.value : []
        const [first] = found as { document: string }[]
        return {
          content: [{ type: 'text', text: `According to the handbook: ${first?.document}` }],
          finishReason: { unified: 'stop', raw: 'stop' },
          usage,
          warnings: [],
        }
      }
      const question = last?.role === 'user' && last.content[0]?.type === 'text' ? last.content[0].text : ''
      return {
        content: [
          { type: 'tool-call', toolCallId: '1', toolName: 'searchHandbook', input: JSON.stringify({ question }) },
        ],
        finishReason: { unified: 'tool-calls', raw: 'tool-calls' },
        usage,
        warnings: [],
      }
    },
  })
}
