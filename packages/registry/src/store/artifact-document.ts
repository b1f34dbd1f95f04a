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
  data: { url?: string; hf_data?: readonly [ReadmeFacts] }
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
    /** The claim that it is acquiring, to change its source. */
    reserving?: string
    /** Only its owner and admins see it. */
    isPrivate?: boolean
    /** ULIDs of the latest eight intents that changed it, so that the process that finishes an intent knows whether it happened. */
    changes?: readonly string[]
    /** What the latest evidence says. */
    facts?: ArtifactFacts
  }
}

/** As the seed's readers expect it. */
export interface ReadmeFacts {
  /** At most `MAX_README_CHARACTERS`, front matter included. */
  readme_text: string
  pipeline_tag: string | null
  datasets: readonly string[]
}

/** Something that an artifact was made from. */
export interface Link {
  /** Canonical URL of its source. */
  url: string
  type: ArtifactType
  relation: string
  /** Where it is written: `model_card`, `config_json`, `tags`. */
  source: string
}

export interface ArtifactFacts {
  /** SHA-256 of the evidence; names the objects that hold evidence and rating. */
  evidence: string
  /** Of the source, or of the uploaded files. */
  revision: string | null
  /** Null: it was not rated. */
  netScore: number | null
  /** SPDX expression or a hub's name. Null: none is stated. */
  licence: string | null
  /** Of one loadable set of weights and everything that is no weights. Null: unknown. */
  sizeBytes: number | null
  /** Null: neither a card nor a configuration was found, so nothing is known about its descent. */
  links: readonly Link[] | null
  tags: readonly string[]
  libraryName: string | null
  /** RFC 3339, UTC. */
  at: string
}

export const MAX_README_CHARACTERS = 64_000

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
  action: 'register' | 'delete' | 'change'
  artifact: string
  by: string
  at: string
  /** Of a change: the audit entry that it makes; null: none. */
  audit?: AuditAction | null
}

export const intentKind: DocumentKind<IntentDocument> = {
  format: 'registry-intent',
  v: 1,
  wrongField: ({ action, artifact, by, at }) => {
    if (!['register', 'delete', 'change'].includes(action)) return 'action'
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
