/** Builds the OpenAPI 3.1 document from the table of routes. */
import type { JsonSchema, Route } from './route.ts'
import { components } from './openapi-schemas.ts'

const READ_HEADERS: [string, string][] = [
  ['x-siltstone-at-least', 'Wait until the read sees this version'],
  ['x-siltstone-at', 'Read the state right after this version'],
]

/** @param basePath stands before all paths, without a slash at its end */
export function openApiDocument(routes: readonly Route[], basePath = ''): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = (paths[route.path] ??= {})
    path[route.method.toLowerCase()] = operation(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Siltstone',
      version: '1.0.0',
      summary: "A vector store that lives in a bucket, behind Chroma's API",
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: basePath === '' ? '/' : basePath }],
    security: [{ token: [] }, { bearer: [] }, {}],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'x-chroma-token' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}

function operation(route: Route): JsonSchema {
  const {
    operation,
    tag,
    summary,
    access,
    body,
    isBodyOptional = false,
    answer,
    status = 200,
    allTenants = false,
  } = route
  return {
    operationId: operation,
    tags: [tag],
    summary,
    ...(access === 'open' && { security: [] }),
    'x-siltstone-access': access === 'store' ? 'admin' : access,
    ...((access === 'store' || allTenants) && { 'x-siltstone-all-tenants': true }),
    parameters: parametersOf(route),
    ...(body && { requestBody: { required: !isBodyOptional, content: { 'application/json': { schema: body } } } }),
    responses: {
      [String(status)]: successAnswer(route, answer),
      default: { description: 'An error', content: { 'application/json': { schema: errorSchema } } },
    },
  }
}

const errorSchema = { $ref: '#/components/schemas/Error' }

function successAnswer({ status, isRead, tag }: Route, answer: JsonSchema | undefined): JsonSchema {
  const versioned = isRead === true || tag === 'Record'
  return {
    description: status === 501 ? 'Not implemented' : 'Success',
    ...(versioned && {
      headers: {
        'x-siltstone-version': { description: 'The version that was written or read', schema: { type: 'integer' } },
      },
    }),
    ...(answer && { content: { 'application/json': { schema: answer } } }),
  }
}

function parametersOf({ path, query = {}, isRead = false }: Route): JsonSchema[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
  const inHeader = READ_HEADERS.map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'integer' },
  }))
  return [...inPath, ...inQuery, ...(isRead ? inHeader : [])]
}
