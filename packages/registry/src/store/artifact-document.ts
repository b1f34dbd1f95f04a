/** The stored forms of artifacts, claims and intents. */
import type { ArtifactType } from '../evidence/evidence.ts'
import type { DocumentKind, Envelope } from './documents.ts'

/**
 * `pending`: being registered, invisible. `ready`: visible. `deleted`, `aborted`: ended; an artifact never leaves these states, and
 * its claims mean nothing.
 */
export type ArtifactState = 'pending' | 'ready' | 'deleted' | 'aborted'

/** `artifacts/<id>/metadata.json`: the seed's members, and ours beside them. */
export interface ArtifactDocument extends Envelope {
  metadata: { name: string; id: string; type: ArtifactType }
  data: { url?: string }
  /** RFC 3339, UTC. */
  created_at: string
  created_by: string
  siltstone: Envelope['siltstone'] & {
    state: ArtifactState
    /** `owner/name`; null for an artifact that is registered by its source alone. */
    repository: string | null
    /** Keys of claims, in the order in which they are acquired. */
    claims: readonly string[]
    /** Of a deleted one: the ULID of the deletion that did it, of several at the same time. */
    deletion?: string
  }
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''

export const artifactKind: DocumentKind<ArtifactDocument> = {
  format: 'registry-artifact',
  v: 1,
  wrongField: ({ metadata, data, created_at: at, created_by: by, siltstone }) => {
    if (!isText(metadata?.id) || !isText(metadata.name) || !['model', 'dataset', 'code'].includes(metadata.type))
      return 'metadata'
    if (typeof data !== 'object' || data === null) return 'data'
    if (!isText(at) || !isText(by)) return 'created_at'
    if (!['pending', 'ready', 'deleted', 'aborted'].includes(siltstone.state)) return 'siltstone.state'
    return Array.isArray(siltstone.claims) ? undefined : 'siltstone.claims'
  },
}

/** `registry/claims/…`: which artifact has a source or a name. */
export interface ClaimDocument extends Envelope {
  artifact: string
}

export const claimKind: DocumentKind<ClaimDocument> = {
  format: 'registry-claim',
  v: 1,
  wrongField: ({ artifact }) => (isText(artifact) ? undefined : 'artifact'),
}

/** `registry/intents/<ulid>.json`: a change of several objects that is being made. Its ULID is that of its audit entry. */
export interface IntentDocument extends Envelope {
  action: 'register' | 'delete'
  artifact: string
  by: string
  at: string
}

export const intentKind: DocumentKind<IntentDocument> = {
  format: 'registry-intent',
  v: 1,
  wrongField: ({ action, artifact, by, at }) => {
    if (action !== 'register' && action !== 'delete') return 'action'
    return isText(artifact) && isText(by) && isText(at) ? undefined : 'artifact'
  },
}

export type AuditAction = 'CREATE' | 'UPDATE' | 'DOWNLOAD' | 'RATE' | 'AUDIT' | 'DELETE'

/** `artifacts/<id>/audit/<ulid>.json`, and `registry/audit/<ulid>.json` for deletions. Written once. */
export interface AuditDocument extends Envelope {
  action: AuditAction
  artifact: { name: string; id: string; type: ArtifactType }
  by: string
  at: string
}

export const auditKind: DocumentKind<AuditDocument> = {
  format: 'registry-audit',
  v: 1,
  wrongField: ({ action, artifact, by, at }) => {
    if (!['CREATE', 'UPDATE', 'DOWNLOAD', 'RATE', 'AUDIT', 'DELETE'].includes(action)) return 'action'
    return isText(artifact?.id) && isText(by) && isText(at) ? undefined : 'artifact'
  },
}
