/** Health, tracks, search, and the files of an artifact as one archive. */
import { invalid, isSiltstoneError, type StorageFallback } from 'siltstone/internal'
import { empty, json } from '../http/answers.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { artifactOf, linkSession, metadataBody, type RestContext, typeOf, viewerOf } from './context.ts'
import { limitOf } from './cursor.ts'
import { zipOf } from './zip.ts'

/** The tracks of the contract that this registry plans. */
const TRACKS = ['Performance track', 'Access control track', 'High assurance track']
const MINUTE_MS = 60_000

export function serviceRoutes(context: RestContext, openApi: () => unknown): Route[] {
  return [
    {
      method: 'GET',
      path: '/health',
      operation: 'RegistryHealthHeartbeat',
      access: 'public',
      handle: () => health(context),
    },
    {
      method: 'GET',
      path: '/health/components',
      operation: 'RegistryHealthComponents',
      access: 'public',
      handle: (call) => components(context, call),
    },
    {
      method: 'GET',
      path: '/tracks',
      operation: 'Tracks',
      access: 'public',
      handle: async () => json({ plannedTracks: TRACKS }),
    },
    {
      method: 'GET',
      path: '/openapi.json',
      operation: 'OpenApi',
      access: 'public',
      handle: async () => json(openApi()),
    },
    {
      method: 'GET',
      path: '/search',
      operation: 'ArtifactsSearch',
      access: 'search',
      handle: (call) => search(context, call),
    },
    {
      method: 'GET',
      path: '/download/{artifact_type}/{id}',
      operation: 'ArtifactDownload',
      access: 'download',
      session: (call) => linkSession(context, call),
      handle: (call) => download(context, call),
    },
  ]
}

interface Component {
  id: string
  display_name: string
  description: string
  status: 'ok' | 'degraded' | 'critical' | 'unknown'
  issues: { code: string; severity: string; summary: string }[]
  metrics: Record<string, string>
}

async function probe(
  id: string,
  display_name: string,
  description: string,
  work: () => Promise<Record<string, string>>,
): Promise<Component> {
  const base = { id, display_name, description }
  try {
    return { ...base, status: 'ok', issues: [], metrics: await work() }
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    const severity = error.kind === 'not-found' ? 'warning' : 'error'
    const issue = { code: error.code, severity, summary: error.message }
    return { ...base, status: severity === 'warning' ? 'degraded' : 'critical', issues: [issue], metrics: {} }
  }
}

async function probes({ registry, accounts, fallback }: RestContext): Promise<Component[]> {
  const probed = await Promise.all([
    probe('bucket', 'Object store', registry.store.description, async () => {
      await registry.store.list('artifacts/', { limit: 1 })
      return {}
    }),
    // No number of the published schema is valid: an integer matches both integer and number. Strings are.
    probe('index', 'Index', 'names, READMEs and search', async () => ({
      artifacts: String(await registry.index.count()),
    })),
    probe('accounts', 'Accounts', 'users and tokens', async () => {
      if (await accounts.hasAdmin()) return {}
      throw invalid('no-admin', 'there is no admin: set REGISTRY_ADMIN_USER and REGISTRY_ADMIN_PASSWORD')
    }),
  ])
  return fallback === undefined ? probed : [...probed, fallbackComponent(fallback)]
}

function fallbackComponent({ wanted, used, code, reason }: StorageFallback): Component {
  const loss = used === 'memory' ? 'is lost when the process ends' : `is missing in ${wanted}`
  const summary = `${wanted} failed at the start (${code}: ${reason}). What is written now ${loss}.`
  return {
    id: 'fallback',
    display_name: 'Fallback of the store',
    description: `the registry is kept in ${used === 'memory' ? 'memory' : 'a SQLite file'}`,
    status: 'degraded',
    issues: [{ code: 'storage_fallback_active', severity: 'error', summary }],
    metrics: {},
  }
}

const worst = (all: readonly Component[]) =>
  (['critical', 'degraded', 'unknown'] as const).find((status) => all.some((each) => each.status === status)) ?? 'ok'

async function health(context: RestContext): Promise<Response> {
  const { clock, traffic, startedAtMs, version } = context
  const windowMinutes = 60
  const all = await probes(context)
  const { total, perRoute, clients } = traffic.of(windowMinutes)
  return json({
    status: worst(all),
    checked_at: new Date(clock.nowMs()).toISOString(),
    window_minutes: windowMinutes,
    uptime_seconds: Math.floor((clock.nowMs() - startedAtMs) / 1_000),
    version,
    request_summary: {
      window_start: new Date(clock.nowMs() - windowMinutes * MINUTE_MS).toISOString(),
      window_end: new Date(clock.nowMs()).toISOString(),
      total_requests: total,
      per_route: perRoute,
      unique_clients: clients,
    },
    components: all.map(({ id, display_name, status }) => ({ id, display_name, status })),
  })
}

async function components(context: RestContext, call: Call): Promise<Response> {
  const { clock, traffic } = context
  const windowMinutes = windowOf(call.query.get('windowMinutes'))
  const wantsTimeline = timelineOf(call.query.get('includeTimeline'))
  const observedAt = new Date(clock.nowMs()).toISOString()
  const { total, failed, timeline } = traffic.of(windowMinutes)
  const all = (await probes(context)).map((component) => ({ ...component, observed_at: observedAt, logs: [] }))
  const requests = {
    id: 'requests',
    display_name: 'Requests',
    description: 'answered by this process',
    status: failed > 0 && failed * 10 > total ? 'degraded' : 'ok',
    observed_at: observedAt,
    metrics: { total: String(total), failed: String(failed) },
    issues: [],
    ...(wantsTimeline && {
      timeline: timeline.map(({ atMs, total: value }) => ({
        bucket: new Date(atMs).toISOString(),
        value,
        unit: 'requests',
      })),
    }),
    logs: [],
  }
  return json({ components: [...all, requests], generated_at: observedAt, window_minutes: windowMinutes })
}

function windowOf(text: string | null): number {
  if (text === null) return 60
  const minutes = Number(text)
  if (/^\d+$/.test(text) && minutes >= 5 && minutes <= 1_440) return minutes
  throw invalid('bad-window', `windowMinutes is "${text.slice(0, 50)}": give 5 to 1440`, { field: 'windowMinutes' })
}

function timelineOf(text: string | null): boolean {
  if (text === null || /^false$/i.test(text)) return false
  if (/^true$/i.test(text)) return true
  throw invalid('bad-flag', `includeTimeline is "${text.slice(0, 50)}": give true or false`, {
    field: 'includeTimeline',
  })
}

/** `?q=` by words and meaning, narrowed by `type`, `license`, `min_net_score` and `made_from` (a source's URL). */
async function search({ registry }: RestContext, call: SignedInCall): Promise<Response> {
  const { query, session } = call
  const score = query.get('min_net_score')
  if (score !== null && !(Number(score) >= 0 && Number(score) <= 1)) {
    throw invalid('bad-score', `min_net_score is "${score.slice(0, 50)}": give a number from 0 to 1`, {
      field: 'min_net_score',
    })
  }
  const madeFrom = query.get('made_from')
  const type = query.get('type')
  const options = {
    text: (query.get('q') ?? '').slice(0, MAX_QUERY_CHARACTERS),
    limit: Math.min(100, query.has('limit') ? limitOf(query) : 10),
    ...(type !== null && { type: typeOf(type) }),
    ...(query.has('license') && { licence: query.get('license') ?? '' }),
    ...(score !== null && { minNetScore: Number(score) }),
    ...(madeFrom !== null && { madeFrom: registry.sources.parse(madeFrom).canonical }),
  }
  const found = await registry.index.search(options, viewerOf(session))
  return json(
    found.map((each) => ({
      ...metadataBody(each),
      score: each.score,
      ...(each.netScore !== null && { net_score: each.netScore }),
      ...(each.licence !== null && { license: each.licence }),
      ...(each.url !== null && { url: each.url }),
    })),
  )
}

const MAX_QUERY_CHARACTERS = 2_000
const ASPECTS = {
  full: /^/,
  weights: /\.(?:safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf|onnx|onnx_data|tflite|ot|npz)$/,
  datasets: /\.(?:parquet|arrow|csv|tsv|jsonl|txt)$/,
  code: /\.(?:py|ipynb|ts|js|rs|go|c|cc|cpp|h|java|sh|toml|cfg|txt|ya?ml)$/,
}

/** A zip of the files that were uploaded; an artifact that is only known by its source leads there. */
async function download(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  const aspect = call.query.get('aspect') ?? 'full'
  if (!Object.hasOwn(ASPECTS, aspect)) {
    throw invalid('bad-aspect', `aspect is "${aspect.slice(0, 50)}": give one of ${Object.keys(ASPECTS).join(', ')}`, {
      field: 'aspect',
    })
  }
  const artifact = await artifactOf(context, call, call.session)
  const uploaded = await registry.uploads(artifact)
  const { id, name, type } = artifact
  await registry.artifacts.audit.record('DOWNLOAD', { id, name, type }, call.session.user)
  if (uploaded === undefined) {
    return empty(302, {
      location: artifact.url ?? '/',
      'x-siltstone-reason': 'the registry has no files of this artifact',
    })
  }
  const wanted = uploaded.files.filter(({ path }) => ASPECTS[aspect as keyof typeof ASPECTS].test(path))
  return zipOf(registry.blobs, name, wanted)
}
