/** The schemas of the OpenAPI document. Where the published contract contradicts itself, ours says what is sent. */
import { MAX_NAME_CHARACTERS, USER_NAME } from '../accounts/user-name.ts'
import { REGISTRY_TENANT } from '../accounts/store-access.ts'
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS } from '../accounts/password.ts'

type Schema = Record<string, unknown>

const text: Schema = { type: 'string' }
const number: Schema = { type: 'number' }
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

const METRICS = [
  'net_score',
  'ramp_up_time',
  'bus_factor',
  'performance_claims',
  'license',
  'dataset_and_code_score',
  'dataset_quality',
  'code_quality',
  'reproducibility',
  'reviewedness',
  'tree_score',
]
const permissions = listOf({ type: 'string', enum: ['upload', 'search', 'download', 'admin'] })
const named = { ...listOf({ ...text, minLength: 1, maxLength: 512 }), maxItems: 100 }
/** With another permission than `admin`, these two are refused. */
const tenants: Schema = {
  ...named,
  items: { ...text, minLength: 1, maxLength: 512, not: { enum: ['*', REGISTRY_TENANT] } },
  description: `Of the store, opened by tokens of the account. With the permission admin also * (all) and ${REGISTRY_TENANT}.`,
}
const databases: Schema = { ...named, description: 'Of these tenants; * means all. Default: all.' }
const limit: Schema = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Without it, there is no limit.',
}
const quota: Schema = {
  ...object({ artifacts: limit, bytes: limit }, ['artifacts', 'bytes']),
  description: 'Without it, the standard one counts.',
}
const time: Schema = { type: 'string', format: 'date-time' }

const SCHEMAS: Record<string, Schema> = {
  ArtifactType: { type: 'string', enum: ['model', 'dataset', 'code'] },
  ArtifactID: { type: 'string', pattern: '^[a-zA-Z0-9\\-]+$' },
  ArtifactName: { ...text, minLength: 1, description: 'In queries, * means all.' },
  ArtifactMetadata: object({ name: ref('ArtifactName'), id: ref('ArtifactID'), type: ref('ArtifactType') }),
  ArtifactData: object(
    {
      url: { type: 'string', format: 'uri', minLength: 1, pattern: '^https?://[^/?#@\\s]+(?:[/?#]|$)' },
      download_url: { type: 'string', format: 'uri', readOnly: true },
      name: { ...text, minLength: 1, writeOnly: true, description: 'Default: from the URL.' },
    },
    ['download_url', 'name'],
  ),
  Artifact: object({ metadata: ref('ArtifactMetadata'), data: ref('ArtifactData') }),
  ArtifactQuery: object({ name: ref('ArtifactName'), types: { ...listOf(ref('ArtifactType')), nullable: true } }, [
    'types',
  ]),
  ArtifactRegEx: object({ regex: { ...text, minLength: 1, format: 'regex' } }),
  User: object({ name: { ...text, minLength: 1 }, is_admin: { type: 'boolean' } }),
  NewUser: object(
    {
      name: { ...text, minLength: 1, maxLength: MAX_NAME_CHARACTERS, pattern: USER_NAME },
      is_admin: { type: 'boolean' },
    },
    ['is_admin'],
  ),
  UserSecret: object({ password: { ...text, minLength: 1, format: 'password' } }),
  NewSecret: object({
    password: { ...text, minLength: MIN_PASSWORD_CHARACTERS, maxLength: MAX_PASSWORD_CHARACTERS, format: 'password' },
  }),
  AuthenticationRequest: object({ user: ref('User'), secret: ref('UserSecret') }),
  RegisterRequest: object({ user: ref('NewUser'), secret: ref('NewSecret'), permissions, tenants, databases }, [
    'permissions',
    'tenants',
    'databases',
  ]),
  UserInfo: object(
    {
      name: text,
      is_admin: { type: 'boolean' },
      permissions,
      tenants: listOf(text),
      databases: listOf(text),
      quota,
      created_at: time,
    },
    ['quota'],
  ),
  PermissionsRequest: object({ permissions, tenants, databases }, ['tenants', 'databases']),
  QuotaRequest: object({ quota }, ['quota']),
  Usage: object({ artifacts: number, bytes: number, quota }, ['quota']),
  PasswordRequest: object({ secret: ref('NewSecret') }),
  KeyRequest: object({ permissions, days: { type: 'integer', minimum: 1, maximum: 366 } }, ['permissions', 'days']),
  Key: object({ token: text, expires_at: time }),
  ArtifactAuditEntry: object({
    user: ref('User'),
    date: time,
    artifact: ref('ArtifactMetadata'),
    action: { type: 'string', enum: ['CREATE', 'UPDATE', 'DOWNLOAD', 'RATE', 'AUDIT'] },
  }),
  ArtifactCost: {
    type: 'object',
    additionalProperties: object({ total_cost: number, standalone_cost: number }, ['standalone_cost']),
  },
  ArtifactLineageNode: object({
    artifact_id: text,
    node: { ...text, description: 'The same as artifact_id.' },
    name: text,
    source: text,
    metadata: { type: 'object' },
  }),
  ArtifactLineageEdge: object({ from_node_artifact_id: text, to_node_artifact_id: text, relationship: text }),
  ArtifactLineageGraph: object({
    nodes: listOf(ref('ArtifactLineageNode')),
    edges: listOf(ref('ArtifactLineageEdge')),
  }),
  ModelRating: object({
    name: text,
    category: text,
    ...Object.fromEntries(METRICS.flatMap((name) => [name, `${name}_latency`]).map((name) => [name, number])),
    size_score: object({ raspberry_pi: number, jetson_nano: number, desktop_pc: number, aws_server: number }),
    size_score_latency: number,
  }),
  SearchHit: object(
    {
      name: text,
      id: ref('ArtifactID'),
      type: ref('ArtifactType'),
      score: number,
      net_score: number,
      license: text,
      url: text,
    },
    ['net_score', 'license', 'url'],
  ),
  HealthMetricValue: { anyOf: [{ type: 'integer' }, number, text, { type: 'boolean' }] },
  HealthComponentDetail: object(
    {
      id: text,
      display_name: text,
      description: text,
      status: { type: 'string', enum: ['ok', 'degraded', 'critical', 'unknown'] },
      observed_at: time,
      metrics: { type: 'object', additionalProperties: ref('HealthMetricValue') },
      issues: listOf(
        object({ code: text, severity: { type: 'string', enum: ['info', 'warning', 'error'] }, summary: text }),
      ),
      timeline: listOf(object({ bucket: time, value: number, unit: text })),
      logs: listOf({ type: 'object' }),
    },
    ['timeline'],
  ),
  HealthComponentCollection: object({
    components: listOf(ref('HealthComponentDetail')),
    generated_at: time,
    window_minutes: { type: 'integer', minimum: 5 },
  }),
  Tracks: object({
    plannedTracks: listOf({
      type: 'string',
      enum: ['Performance track', 'Access control track', 'High assurance track', 'Other Security track'],
    }),
  }),
  Error: object({ error: object({ code: text, message: text, field: text }, ['field']) }),
}

const SEGMENT = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,90}'

/** @param githubHost of the repositories that a licence is compared with */
export function schemasOf(githubHost: string): Record<string, Schema> {
  const host = githubHost.replaceAll('.', '\\.')
  const pattern = `^https?://(?:www\\.)?${host}/${SEGMENT}/${SEGMENT}$`
  return {
    ...SCHEMAS,
    SimpleLicenseCheckRequest: object({ github_url: { type: 'string', format: 'uri', pattern } }),
  }
}
