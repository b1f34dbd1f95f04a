/** JSON as text: one `path: value` line for each value, under the name of the outermost member or the number of the element. */
import type { Block } from '../blocks.ts'

/** Deeper values are written as JSON in one line. */
const MAX_DEPTH = 20

export function jsonBlocks(value: unknown): Block[] {
  if (Array.isArray(value)) return value.flatMap((element, k) => elementBlocks(element, k))
  if (!isObject(value)) return [{ text: String(value) }]
  return Object.entries(value).flatMap(([name, member]) =>
    isObject(member) || Array.isArray(member)
      ? [
          { text: name, level: 1 },
          ...leaves(member, '').map((text): Block => ({ text })),
          { text: '', startsSection: true },
        ]
      : [{ text: `${name}: ${String(member)}` }],
  )
}

export function elementBlocks(element: unknown, index: number): Block[] {
  const text = leaves(element, '').join('; ')
  return [{ text, place: { element_start: index + 1, element_end: index + 1 } }]
}

function leaves(value: unknown, path: string, depth = 0): string[] {
  const entry = (text: string) => (path === '' ? text : `${path}: ${text}`)
  if (!isObject(value) && !Array.isArray(value)) return [entry(String(value))]
  if (depth >= MAX_DEPTH) return [entry(JSON.stringify(value))]
  if (Array.isArray(value) && value.every((item) => !isObject(item) && !Array.isArray(item)))
    return value.length === 0 ? [] : [entry(value.map(String).join(', '))]
  if (Array.isArray(value)) return value.flatMap((item, k) => leaves(item, `${path}[${k}]`, depth + 1))
  return Object.entries(value).flatMap(([name, member]) =>
    leaves(member, path === '' ? name : `${path}.${name}`, depth + 1),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
