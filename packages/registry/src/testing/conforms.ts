/** Compares an answer with the OpenAPI document: the parts of JSON Schema that the document uses. */
interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  anyOf?: Schema[]
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  items?: Schema
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
}

export interface OpenApi {
  paths: Record<
    string,
    Record<
      string,
      { operationId: string; responses: Record<string, { content?: Record<string, { schema?: Schema }> }> }
    >
  >
  components: { schemas: Record<string, Schema> }
}

/** What is wrong; empty: nothing. */
export function differences(document: OpenApi, schema: Schema, value: unknown, at = '$'): string[] {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
    return named === undefined ? [`${at}: ${schema.$ref} is not defined`] : differences(document, named, value, at)
  }
  if (schema.anyOf !== undefined) {
    const fits = schema.anyOf.some((each) => differences(document, each, value, at).length === 0)
    return fits ? [] : [`${at}: fits none of the alternatives`]
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: ${String(value)} is not in the list`]
  if (schema.type !== undefined && !hasType(schema.type, value)) return [`${at}: is no ${schema.type}`]
  if (typeof value === 'string') return textDifferences(schema, value, at)
  if (typeof value === 'number') {
    const isOut = value < (schema.minimum ?? value) || value > (schema.maximum ?? value)
    return isOut ? [`${at}: ${value} is out of range`] : []
  }
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? [] : value.flatMap((item, i) => differences(document, items, item, `${at}[${i}]`))
  }
  if (typeof value !== 'object' || value === null) return []
  const members = value as Record<string, unknown>
  const missing = (schema.required ?? [])
    .filter((name) => !(name in members))
    .map((name) => `${at}.${name}: is missing`)
  const wrong = Object.entries(members).flatMap(([name, member]) => {
    const of = schema.properties?.[name] ?? schema.additionalProperties
    if (member === null) return [`${at}.${name}: is null`]
    return of === undefined ? [] : differences(document, of, member, `${at}.${name}`)
  })
  return [...missing, ...wrong]
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

function textDifferences({ pattern, format }: Schema, value: string, at: string): string[] {
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return [`${at}: does not match ${pattern}`]
  if (format === 'uri' && !URL.canParse(value)) return [`${at}: is no URL`]
  if (format === 'date-time' && !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return [`${at}: is no time`]
  return []
}
