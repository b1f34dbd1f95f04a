/** The embedding function in a collection's configuration. It is stored and returned; clients compute the vectors. */
import { Fields, readString, readWord } from './wire/fields.ts'
import { toPlainJson } from './wire/plain-json.ts'

const EF_TYPES = ['legacy', 'known', 'unknown'] as const

/** Reads `{type: 'known', name, config}`, `{type: 'legacy'}` or `{type: 'unknown'}`. @throws ApiProblem 422 */
export function readEmbeddingFunction(json: unknown, path: string): Record<string, unknown> {
  const fields = Fields.of(json, path)
  const type = fields.required('type', readWord(EF_TYPES))
  if (type !== 'known') return { type }
  const name = fields.required('name', readString)
  return {
    type,
    name,
    config: toPlainJson(
      fields.required('config', (config) => config),
      fields.pathOf('config'),
    ),
  }
}

export function isDefaultEmbeddingFunction(embeddingFunction: Record<string, unknown> | null | undefined): boolean {
  if (embeddingFunction === null || embeddingFunction === undefined) return true
  const { type, name } = embeddingFunction
  return type === 'unknown' || (type === 'known' && name === 'default')
}
