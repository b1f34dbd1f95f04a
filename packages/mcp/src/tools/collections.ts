import { type CollectionInfo, type FieldInfo, fieldsOf } from 'siltstone/internal'
import { z } from 'zod'
import { decodeCursor, encodeCursor, whole } from '../cursor.ts'
import { type Scope, visible } from '../scope.ts'
import { answer, clip, jsonable, plainMetadata } from '../text.ts'
import { defineTool } from '../tool.ts'
import { collectionUri } from '../uri.ts'

const PAGE = 10
const SAMPLE_RECORDS = 500
const MAX_FIELDS = 12
const EXAMPLES = 5
const EXAMPLE_CHARS = 30

export const collectionsTool = defineTool({
  name: 'collections',
  title: 'List collections',
  description: 'Lists collections with record counts and the metadata fields that `where` can filter on.',
  input: z.object({ cursor: z.string().optional() }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(scope, { cursor }) {
    const offset = cursor === undefined ? 0 : whole(decodeCursor(cursor), 'o')
    const infos = await visible(scope, { limit: PAGE + 1, offset })
    const shown = await Promise.all(infos.slice(0, PAGE).map((info) => describeCollection(scope, info)))
    const next = infos.length > PAGE ? encodeCursor({ o: offset + PAGE }) : undefined
    return answer({ collections: shown, ...(next !== undefined && { next_cursor: next }) }, [
      shown.length === 0 ? 'There are no collections yet.' : undefined,
      ...shown.map(lineOf),
      next === undefined ? undefined : `next: cursor ${next}`,
    ])
  },
})

export interface DescribedCollection {
  name: string
  records: number
  dimension: number | null
  version: number
  description?: string
  uri: string
  fields: { key: string; type: string; examples: unknown[] }[]
}

export async function describeCollection(scope: Scope, info: CollectionInfo): Promise<DescribedCollection> {
  const collection = await scope.engine.collection(info.tenant, info.database, info.id)
  const { version, records, dimension } = await collection.state()
  const { fields } = await fieldsOf(collection, { maxRecords: SAMPLE_RECORDS, values: EXAMPLES })
  const description = plainMetadata(info.metadata)?.['description']
  return {
    name: info.name,
    records,
    dimension,
    version,
    ...(typeof description === 'string' && { description: clip(description, 300).text }),
    uri: collectionUri(info.name),
    fields: mostUsed(fields).map(({ key, types, values }) => ({
      key,
      type: types.join('|'),
      examples: values.map(({ value }) => exampleOf(value)),
    })),
  }
}

function mostUsed(fields: readonly FieldInfo[]): FieldInfo[] {
  return fields.toSorted((a, b) => b.records - a.records).slice(0, MAX_FIELDS)
}

function exampleOf(value: unknown): unknown {
  return typeof value === 'string' ? clip(value, EXAMPLE_CHARS).text : jsonable(value)
}

function lineOf({ name, records, description, fields, version, dimension }: DescribedCollection): string {
  const about = description === undefined ? '' : ` ${JSON.stringify(description)}`
  const size = `${records} records, dimension ${dimension ?? 'not set yet'}, version ${version}`
  const keys = fields.map(({ key, type, examples }) => `  ${key} (${type}): ${JSON.stringify(examples)}`)
  return [`${name}: ${size}${about}`, ...keys].join('\n')
}
