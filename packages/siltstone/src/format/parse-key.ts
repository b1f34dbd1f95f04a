import { BACKUP_STATE_KEY, patterns, STORE_KEY } from './key-patterns.ts'

/** What a key in the bucket is. `path` is a collection's path. */
export type ParsedKey =
  | { kind: 'store' }
  | { kind: 'backup-state' }
  | { kind: 'log-entry'; path: string; number: number }
  | { kind: 'inbox'; path: string; ulid: string }
  | { kind: 'pointer'; path: string }
  | { kind: 'manifest'; path: string; watermark: number; ulid: string }
  | { kind: 'segment-file'; path: string; ulid: string; file: string }
  | { kind: 'bitmap'; path: string; ulid: string }
  | { kind: 'overlay-file'; path: string; ulid: string; file: string }
  | { kind: 'list'; path: string; ulid: string }
  | { kind: 'taken'; path: string; number: number; ulid: string }
  | { kind: 'tenant'; sha256: string }
  | { kind: 'resource'; sha256: string }
  | { kind: 'database'; tenantHash: string; sha256: string }
  | { kind: 'collection-id'; databasePath: string; collectionId: string }
  | { kind: 'collection-name'; databasePath: string; sha256: string }
  | { kind: 'gc-due'; hour: string; path: string }
  | { kind: 'embedding'; id: string; compressed: boolean }

type Groups = Record<string, string>
type Rule = [RegExp, (groups: Groups) => ParsedKey | undefined]

const { hash, uuid, path, number, ulid, file, sha256, hour, embeddingId } = patterns
const rule = (source: string, make: (groups: Groups) => ParsedKey | undefined): Rule => [
  new RegExp(`^${source}$`),
  make,
]
const g = (groups: Groups, name: string): string => groups[name] as string

const rules: Record<string, Rule[]> = {
  delta: [
    rule(`delta/(?<path>${path})/(?<n>${number})\\.arrow`, (m) => {
      const n = Number(m['n'])
      if (n < 1 || !Number.isSafeInteger(n)) return undefined
      return { kind: 'log-entry', path: g(m, 'path'), number: n }
    }),
    rule(`delta/(?<path>${path})/inbox/(?<ulid>${ulid})\\.arrow`, (m) => ({
      kind: 'inbox',
      path: g(m, 'path'),
      ulid: g(m, 'ulid'),
    })),
  ],
  snapshot: [
    rule(`snapshot/(?<path>${path})/latest/pointer\\.txt`, (m) => ({ kind: 'pointer', path: g(m, 'path') })),
    rule(`snapshot/(?<path>${path})/manifest/(?<n>${number})-(?<ulid>${ulid})\\.json`, (m) => {
      const watermark = Number(m['n'])
      if (!Number.isSafeInteger(watermark)) return undefined
      return { kind: 'manifest', path: g(m, 'path'), watermark, ulid: g(m, 'ulid') }
    }),
    rule(`snapshot/(?<path>${path})/taken/(?<n>${number})-(?<ulid>${ulid})\\.arrow`, (m) => {
      const n = Number(m['n'])
      if (n < 1 || !Number.isSafeInteger(n)) return undefined
      return { kind: 'taken', path: g(m, 'path'), number: n, ulid: g(m, 'ulid') }
    }),
    rule(`snapshot/(?<path>${path})/(?<kind>segment|overlay)/(?<ulid>${ulid})/(?<file>${file})`, (m) => ({
      kind: m['kind'] === 'segment' ? 'segment-file' : 'overlay-file',
      path: g(m, 'path'),
      ulid: g(m, 'ulid'),
      file: g(m, 'file'),
    })),
    rule(`snapshot/(?<path>${path})/bitmap/(?<ulid>${ulid})\\.roaring`, (m) => ({
      kind: 'bitmap',
      path: g(m, 'path'),
      ulid: g(m, 'ulid'),
    })),
    rule(`snapshot/(?<path>${path})/list/(?<ulid>${ulid})\\.json`, (m) => ({
      kind: 'list',
      path: g(m, 'path'),
      ulid: g(m, 'ulid'),
    })),
  ],
  catalog: [
    rule(`catalog/(?<kind>tenant|resource)/(?<sha256>${sha256})\\.json`, (m) => ({
      kind: m['kind'] === 'tenant' ? 'tenant' : 'resource',
      sha256: g(m, 'sha256'),
    })),
    rule(`catalog/(?<tenant>${hash})/database/(?<sha256>${sha256})\\.json`, (m) => ({
      kind: 'database',
      tenantHash: g(m, 'tenant'),
      sha256: g(m, 'sha256'),
    })),
    rule(`catalog/(?<database>${hash}-${hash})/id/(?<id>${uuid})\\.json`, (m) => ({
      kind: 'collection-id',
      databasePath: g(m, 'database'),
      collectionId: g(m, 'id'),
    })),
    rule(`catalog/(?<database>${hash}-${hash})/name/(?<sha256>${sha256})\\.json`, (m) => ({
      kind: 'collection-name',
      databasePath: g(m, 'database'),
      sha256: g(m, 'sha256'),
    })),
  ],
  'gc-due': [
    rule(`gc-due/(?<hour>${hour})/(?<path>${path})`, (m) => ({
      kind: 'gc-due',
      hour: g(m, 'hour'),
      path: g(m, 'path'),
    })),
  ],
  embeddings: [
    rule(`embeddings/(?<id>${embeddingId})\\.json(?<gz>\\.gz)?`, (m) => ({
      kind: 'embedding',
      id: g(m, 'id'),
      compressed: m['gz'] !== undefined,
    })),
  ],
}

/** @returns undefined for a key of another program (`uploads/…` and `artifacts/…` are not Siltstone's) */
export function parseKey(key: string): ParsedKey | undefined {
  if (key === STORE_KEY) return { kind: 'store' }
  if (key === BACKUP_STATE_KEY) return { kind: 'backup-state' }
  const slash = key.indexOf('/')
  const candidates = slash < 0 ? undefined : Object.hasOwn(rules, key.slice(0, slash)) && rules[key.slice(0, slash)]
  if (candidates === undefined || candidates === false) return undefined
  for (const [expression, make] of candidates) {
    const match = expression.exec(key)
    if (match !== null) return make(match.groups ?? {})
  }
  return undefined
}
