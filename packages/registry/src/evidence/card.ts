/** The front matter of a README, and what it and configuration files say about descent. */
import { parse } from 'yaml'
import type { Json, JsonObject } from './evidence.ts'

const MAX_CHARACTERS = 100_000

/** Undefined: it is no YAML mapping. */
export function parseFrontMatter(text: string): JsonObject | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  try {
    const value: unknown = parse(text, { maxAliasCount: 20, logLevel: 'error', prettyErrors: false })
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return JSON.parse(JSON.stringify(value)) as JsonObject
  } catch {
    // Any failure, a value that contains itself included, means the same for a reader: there is no card.
    return undefined
  }
}

export type Relation = 'base_model' | 'finetune' | 'adapter' | 'quantized' | 'merge'

export interface NamedParent {
  /** `owner/name` on the hub, as written. */
  id: string
  relation: Relation
  /** Where it is written: `model_card`, `config_json` or `tags`. */
  place: 'model_card' | 'config_json' | 'tags'
}

const RELATIONS: readonly Relation[] = ['finetune', 'adapter', 'quantized', 'merge']
const REPOSITORY = /^[\w][\w.-]{0,95}(?:\/[\w][\w.-]{0,95})?$/

/**
 * Parents that card, tags and configuration name, each once. The card says the relation of all its parents at once; tags say it
 * for each; a parent in `adapter_config.json` is adapted.
 */
export function namedParents(
  own: string | null,
  card: JsonObject | undefined,
  tags: readonly string[],
  texts: Readonly<Record<string, string>>,
): NamedParent[] {
  const parents = new Map<string, NamedParent>()
  const add = (id: Json | undefined, relation: Relation, place: NamedParent['place']) => {
    if (typeof id !== 'string' || !REPOSITORY.test(id) || id.toLowerCase() === own?.toLowerCase()) return
    const known = parents.get(id.toLowerCase())
    if (known === undefined) parents.set(id.toLowerCase(), { id, relation, place })
    else if (known.relation === 'base_model' && relation !== 'base_model') known.relation = relation
  }
  const named = list(card?.['base_model'])
  const stated = RELATIONS.find((relation) => relation === card?.['base_model_relation'])
  for (const id of named) add(id, stated ?? (named.length > 1 ? 'merge' : 'base_model'), 'model_card')
  for (const tag of tags) {
    const [kind, relation, id] = tag.split(':')
    if (kind !== 'base_model' || relation === undefined) continue
    if (id === undefined) add(relation, 'base_model', 'tags')
    else add(id, RELATIONS.find((each) => each === relation) ?? 'base_model', 'tags')
  }
  add(memberOf(texts['adapter_config.json'], 'base_model_name_or_path'), 'adapter', 'config_json')
  // A bare name there is usually a folder of the author's machine.
  const path = memberOf(texts['config.json'], '_name_or_path')
  if (typeof path === 'string' && path.includes('/')) add(path, 'base_model', 'config_json')
  return [...parents.values()]
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : value == null ? [] : [value])

function memberOf(text: string | undefined, key: string): Json | undefined {
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject)[key] : undefined
  } catch {
    // A configuration that is no JSON names no parent.
    return undefined
  }
}

/** Ids of datasets that the card names. */
export function namedDatasets(card: JsonObject | undefined): string[] {
  return list(card?.['datasets']).filter((id) => typeof id === 'string' && REPOSITORY.test(id)) as string[]
}
