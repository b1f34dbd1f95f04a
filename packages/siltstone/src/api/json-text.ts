import { type Answer, json } from '../chroma/route.ts'

/** ES2026; the compiler's library does not have it yet. */
const rawJson = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)

/** JSON with all digits of 64-bit integers. */
export function exactAnswer(value: unknown, more: Omit<Answer, 'text'> = {}): Answer {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? rawJson(item.toString()) : item))
  return { ...json(null, more), text }
}
