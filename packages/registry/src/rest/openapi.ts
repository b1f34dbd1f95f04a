/** The OpenAPI document: what `GET /openapi.json` answers. A test compares it with the routes and with what they answer. */
import { OFFSET } from './cursor.ts'
import { listOf, ref, schemasOf } from './schemas.ts'

interface Operation {
  id: string
  summary: string
  parameters?: readonly Record<string, unknown>[]
  body?: Record<string, unknown>
  success: Record<number, { schema?: Record<string, unknown>; type?: string; headers?: readonly string[] }>
  errors: readonly number[]
}

const query = (name: string, schema: Record<string, unknown>) => ({ name, in: 'query', required: false, schema })
const offset = query('offset', { type: 'string', pattern: OFFSET })
const limit = query('limit', { type: 'integer', minimum: 1, description: 'More than 1,000 count as 1,000.' })
const PATH: Record<string, Record<string, unknown>> = {
  artifact_type: ref('ArtifactType'),
  id: ref('ArtifactID'),
  name: { type: 'string', minLength: 1, maxLength: 512, not: { enum: ['*'] } },
}
const page = { 200: { schema: listOf(ref('ArtifactMetadata')), headers: ['offset'] } }

/** By path, by method. `429`, `503` and `507` can be answered by every operation with a token. */
const OPERATIONS: Record<string, Record<string, Operation>> = {
  '/health': {
    get: {
      id: 'RegistryHealthHeartbeat',
      summary: 'Health',
      success: { 200: { schema: { type: 'object' } } },
      errors: [],
    },
  },
  '/health/components': {
    get: {
      id: 'RegistryHealthComponents',
      summary: 'Health of each component',
      parameters: [
        query('windowMinutes', { type: 'integer', minimum: 5, maximum: 1_440, default: 60 }),
        query('includeTimeline', { type: 'boolean', default: false }),
      ],
      success: { 200: { schema: ref('HealthComponentCollection') } },
      errors: [400],
    },
  },
  '/tracks': {
    get: { id: 'Tracks', summary: 'Planned tracks', success: { 200: { schema: ref('Tracks') } }, errors: [500] },
  },
  '/openapi.json': {
    get: { id: 'OpenApi', summary: 'This document', success: { 200: { schema: { type: 'object' } } }, errors: [] },
  },
  '/authenticate': {
    put: {
      id: 'CreateAuthToken',
      summary: 'Log in',
      body: ref('AuthenticationRequest'),
      success: { 200: { schema: { type: 'string' } } },
      errors: [400, 401, 413, 429],
    },
    delete: { id: 'DeleteAuthToken', summary: 'Log out', success: { 200: {} }, errors: [403] },
  },
  '/reset': {
    delete: { id: 'RegistryReset', summary: 'Delete everything', success: { 200: {} }, errors: [400, 401, 403] },
  },
  '/register': {
    post: {
      id: 'UserCreate',
      summary: 'Make a user',
      body: ref('RegisterRequest'),
      success: { 201: { schema: ref('UserInfo') } },
      errors: [400, 403, 409, 413],
    },
  },
  '/users': {
    get: {
      id: 'UsersList',
      summary: 'All users',
      success: { 200: { schema: listOf(ref('UserInfo')) } },
      errors: [403],
    },
  },
  '/user/{name}': { delete: { id: 'UserDelete', summary: 'Delete a user', success: { 200: {} }, errors: [403, 404] } },
  '/user/{name}/permissions': {
    put: {
      id: 'UserPermissionsUpdate',
      summary: 'Change what a user may do',
      body: ref('PermissionsRequest'),
      success: { 200: { schema: ref('UserInfo') } },
      errors: [400, 403, 404, 413],
    },
  },
  '/user/{name}/quota': {
    put: {
      id: 'UserQuotaUpdate',
      summary: 'Limit what a user may have',
      body: ref('QuotaRequest'),
      success: { 200: { schema: ref('UserInfo') } },
      errors: [400, 403, 404, 413],
    },
  },
  '/user/{name}/usage': {
    get: {
      id: 'UserUsage',
      summary: 'What a user has',
      success: { 200: { schema: ref('Usage') } },
      errors: [403, 404],
    },
  },
  '/user/{name}/password': {
    put: {
      id: 'UserPasswordUpdate',
      summary: 'Change a password',
      body: ref('PasswordRequest'),
      success: { 200: {} },
      errors: [400, 403, 404, 413],
    },
  },
  '/user/{name}/keys': {
    post: {
      id: 'UserKeyCreate',
      summary: 'Make a token for programs',
      body: ref('KeyRequest'),
      success: { 201: { schema: ref('Key') } },
      errors: [400, 403, 404, 413],
    },
  },
  '/search': {
    get: {
      id: 'ArtifactsSearch',
      summary: 'Search by words and meaning',
      parameters: [
        query('q', { type: 'string' }),
        query('type', ref('ArtifactType')),
        query('license', { type: 'string' }),
        query('min_net_score', { type: 'number', minimum: 0, maximum: 1 }),
        query('made_from', { type: 'string', format: 'uri' }),
        limit,
      ],
      success: { 200: { schema: listOf(ref('SearchHit')) } },
      errors: [400, 403, 413],
    },
  },
  '/download/{artifact_type}/{id}': {
    get: {
      id: 'ArtifactDownload',
      summary: 'The files as a zip archive, or the way to the source',
      parameters: [query('aspect', { type: 'string', enum: ['full', 'weights', 'datasets', 'code'], default: 'full' })],
      success: { 200: { type: 'application/zip', schema: { type: 'string', format: 'binary' } }, 302: {} },
      errors: [400, 403, 404, 413],
    },
  },
  '/artifacts': {
    post: {
      id: 'ArtifactsList',
      summary: 'Artifacts by names and types',
      parameters: [offset, limit],
      body: { type: 'array', items: ref('ArtifactQuery'), maxItems: 100 },
      success: page,
      errors: [400, 403, 413],
    },
  },
  '/artifact/byRegEx': {
    post: {
      id: 'ArtifactByRegExGet',
      summary: 'Artifacts whose name or README contains a match',
      parameters: [offset, limit],
      body: ref('ArtifactRegEx'),
      success: page,
      errors: [400, 403, 404, 413],
    },
  },
  '/artifact/byName/{name}': {
    get: {
      id: 'ArtifactByNameGet',
      summary: 'Artifacts with exactly this name',
      success: { 200: { schema: listOf(ref('ArtifactMetadata')) } },
      errors: [400, 403, 404],
    },
  },
  '/artifact/{artifact_type}': {
    post: {
      id: 'ArtifactCreate',
      summary: 'Register a source',
      body: ref('ArtifactData'),
      success: { 201: { schema: ref('Artifact') } },
      errors: [400, 403, 404, 409, 413, 424],
    },
  },
  '/artifacts/{artifact_type}/{id}': {
    get: {
      id: 'ArtifactRetrieve',
      summary: 'An artifact',
      success: { 200: { schema: ref('Artifact') } },
      errors: [400, 403, 404],
    },
    put: {
      id: 'ArtifactUpdate',
      summary: 'Replace the contents of an artifact',
      body: ref('Artifact'),
      success: { 200: {} },
      errors: [400, 403, 404, 413],
    },
    delete: { id: 'ArtifactDelete', summary: 'Delete an artifact', success: { 200: {} }, errors: [400, 403, 404] },
  },
  '/artifact/model/{id}/rate': {
    get: {
      id: 'ModelArtifactRate',
      summary: 'The rating of a model',
      parameters: [query('explain', { type: 'boolean', default: false })],
      success: { 200: { schema: ref('ModelRating') } },
      errors: [400, 403, 404, 500],
    },
  },
  '/artifact/{artifact_type}/{id}/cost': {
    get: {
      id: 'ArtifactCost',
      summary: 'Megabytes of an artifact',
      parameters: [query('dependency', { type: 'boolean', default: false })],
      success: { 200: { schema: ref('ArtifactCost') } },
      errors: [400, 403, 404, 500],
    },
  },
  '/artifact/{artifact_type}/{id}/audit': {
    get: {
      id: 'ArtifactAuditGet',
      summary: 'What was done to an artifact',
      success: { 200: { schema: listOf(ref('ArtifactAuditEntry')) } },
      errors: [400, 403, 404],
    },
  },
  '/artifact/model/{id}/lineage': {
    get: {
      id: 'ArtifactLineageGet',
      summary: 'What a model was made from, or what was made from it',
      parameters: [
        query('direction', { type: 'string', enum: ['ancestors', 'descendants', 'both'], default: 'ancestors' }),
      ],
      success: { 200: { schema: ref('ArtifactLineageGraph') } },
      errors: [400, 403, 404],
    },
  },
  '/artifact/model/{id}/license-check': {
    post: {
      id: 'ArtifactLicenseCheck',
      summary: 'Whether a project may fine-tune and run a model',
      body: ref('SimpleLicenseCheckRequest'),
      success: { 200: { schema: { type: 'boolean' } } },
      errors: [400, 403, 404, 413, 502],
    },
  },
}

const PUBLIC = new Set(['/health', '/health/components', '/tracks', '/openapi.json'])
const EVERYWHERE = [503, 507]

/** @param githubHost whose repositories a licence is compared with */
export function openApiDocument(version: string, githubHost: string): Record<string, unknown> {
  const paths = Object.entries(OPERATIONS).map(([path, methods]) => [
    path,
    Object.fromEntries(
      Object.entries(methods).map(([method, operation]) => [method, spelled(path, method, operation)]),
    ),
  ])
  return {
    openapi: '3.0.3',
    info: {
      title: 'Siltstone registry',
      version,
      license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    paths: Object.fromEntries(paths) as Record<string, unknown>,
    components: {
      schemas: schemasOf(githubHost),
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Authorization' } },
    },
  }
}

function spelled(path: string, method: string, { id, summary, parameters = [], body, success, errors }: Operation) {
  const isPublic = PUBLIC.has(path) || (path === '/authenticate' && method === 'put')
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: PATH[name],
  }))
  const failed = [...errors, ...(isPublic ? [] : [429]), ...EVERYWHERE]
  return {
    operationId: id,
    summary,
    ...(isPublic ? {} : { security: [{ token: [] }] }),
    parameters: [...named, ...parameters],
    ...(body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(success).map(([status, answer]) => [status, answerOf(answer)])),
      ...Object.fromEntries(
        [...new Set(failed)].map((status) => [
          status,
          { description: 'Error', content: { 'application/json': { schema: ref('Error') } } },
        ]),
      ),
    },
  }
}

function answerOf({ schema, type = 'application/json', headers = [] }: Operation['success'][number]) {
  return {
    description: 'Success',
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' } }])),
    }),
    ...(schema !== undefined && { content: { [type]: { schema } } }),
  }
}
