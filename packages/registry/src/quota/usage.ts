/** The stored form of what an account uses of its quota. */
import type { DocumentKind, Envelope } from '../store/documents.ts'

export interface Usage {
  /** Registered and uploaded ones. */
  artifacts: number
  /** Of the contents that versions of the files name, each once for each artifact. */
  bytes: number
}

/** `registry/usage/<hash of the name>.json` */
export interface UsageDocument extends Envelope {
  user: string
  settled: Usage
  /** By ULID: changes that are being made, or whose process has ended. */
  pending: Readonly<Record<string, Usage & { atMs: number; mayBeCounted?: true }>>
  /** Something was deleted since `settled` was counted. */
  isStale: boolean
}

const isCount = (value: unknown) => typeof value === 'number' && Number.isFinite(value)

export const usageKind: DocumentKind<UsageDocument> = {
  format: 'registry-usage',
  v: 1,
  wrongField: ({ user, settled, pending, isStale }) => {
    if (typeof user !== 'string' || typeof isStale !== 'boolean') return 'user'
    if (!isCount(settled?.artifacts) || !isCount(settled.bytes)) return 'settled'
    return typeof pending === 'object' && pending !== null ? undefined : 'pending'
  },
}

export const plus = (a: Usage, b: Usage): Usage => ({ artifacts: a.artifacts + b.artifacts, bytes: a.bytes + b.bytes })
