/** The audit: what was done to an artifact, by whom, when. Entries are created once and never changed or removed. */
import type { Clock, Ids, ObjectStore } from 'siltstone/internal'
import { type ArtifactDocument, type AuditAction, type AuditDocument, auditKind } from './artifact-document.ts'
import type { Documents } from './documents.ts'
import { adminAuditKey, auditKey, auditPrefix } from './keys.ts'

export interface AuditEntry {
  action: AuditAction
  artifact: { name: string; id: string; type: string }
  by: string
  /** RFC 3339, UTC. */
  at: string
}

const READ_TOGETHER = 16

export class Audit {
  readonly #options: { store: ObjectStore; documents: Documents; clock: Clock; ids: Ids }

  constructor(options: { store: ObjectStore; documents: Documents; clock: Clock; ids: Ids }) {
    this.#options = options
  }

  /** @param ulid names the entry: written twice under one name, it is one entry. Default: a new name */
  async record(
    action: AuditAction,
    artifact: ArtifactDocument['metadata'],
    by: string,
    ulid?: string,
    at?: string,
  ): Promise<void> {
    const { clock, documents, ids } = this.#options
    const name = ulid ?? ids.ulid()
    // The published list of actions has no DELETE, and an artifact's own audit ends with it.
    const key = action === 'DELETE' ? adminAuditKey(name) : auditKey(artifact.id, name)
    const entry: AuditDocument = {
      action,
      artifact,
      by,
      at: at ?? new Date(clock.nowMs()).toISOString(),
      siltstone: { format: auditKind.format, v: auditKind.v, writes: [] },
    }
    await documents.write(key, auditKind, entry, null)
  }

  /** All entries of an artifact, oldest first; also of a deleted one. */
  async of(id: string): Promise<AuditEntry[]> {
    const { store, documents } = this.#options
    const entries: AuditEntry[] = []
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const page = await store.list(auditPrefix(id), continuation === undefined ? {} : { continuation })
      continuation = page.continuation
      for (let start = 0; start < page.objects.length; start += READ_TOGETHER) {
        const keys = page.objects.slice(start, start + READ_TOGETHER).map(({ key }) => key)
        const read = await Promise.all(keys.map((key) => documents.read(key, auditKind)))
        entries.push(...read.flatMap((version) => (version === undefined ? [] : [entryOf(version.document)])))
      }
    }
    return entries
  }
}

const entryOf = ({ action, artifact, by, at }: AuditDocument): AuditEntry => ({ action, artifact, by, at })
