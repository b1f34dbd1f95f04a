/**
 * Artifacts: which exist, under which source and name. All processes follow this protocol; none of them is special.
 *
 * ## Objects
 * An artifact is visible exactly while the `state` of its metadata is `ready`. `deleted` and `aborted` are never left. A *claim* is one
 * object for each source (and type) and for each repository name; it names the artifact that has it. An *intent* names an artifact
 * whose objects are being changed.
 *
 * ## To register
 * 1. Write an intent. 2. Write the metadata as `pending`, with the keys of its claims. 3. Acquire each claim, in order. 4. Make the
 * metadata `ready` by compare-and-swap: the commit. 5. Write the audit entry, under the intent's ULID. 6. Delete the intent.
 *
 * To acquire a claim: create it if it is absent. If it names another artifact, look at that one. `ready`: the claim is taken, and this
 * registration makes itself `aborted`. Ended: overwrite the claim, If-Match the version that was read. `pending`: somebody else
 * registers, or has crashed; finish it (below), and look again.
 *
 * ## To finish another's registration
 * If all claims of a pending artifact name it, make it `ready`; else make it `aborted`. Both by compare-and-swap, so it happens once,
 * whoever does it. A registration that finds itself ready has succeeded; one that finds itself aborted begins again with a new id.
 *
 * ## To delete
 * 1. Write an intent. 2. Make the metadata `deleted` by compare-and-swap: the commit. 3. Audit. 4. Delete the intent. The claims stay;
 * they name an artifact that has ended, so the next registration overwrites them. To delete a claim would be wrong: a delete has no
 * condition, and one that stalls would remove a successor's claim.
 *
 * ## To change
 * 1. Write an intent. 2. Change the metadata by compare-and-swap, with the intent's ULID among its `changes`: the commit. 3. Audit, under
 * that ULID. 4. Delete the intent.
 *
 * ## The index
 * `onChange` writes the artifact into the index (`index/artifact-index.ts`) after each commit and before the intent is deleted. So an
 * acknowledged change is in the index, and one that was cut off comes there when its intent is finished.
 *
 * ## Why a source has at most one visible artifact
 * A claim is overwritten only if its owner has ended. An artifact becomes ready only while its claims name it: it acquired them when
 * it was pending, and no other process overwrites them before it ends. So two ready artifacts cannot have held the same claim.
 *
 * ## Failure cases
 * - A crash before the commit leaves a pending artifact, which no read shows. The next registration of the source finishes it, or
 *   `finishIntents`.
 * - A crash after the commit leaves an artifact without audit entry, or an intent: `finishIntents` writes the entry, under the same
 *   name as the process would have, so there is one.
 * - A write whose answer was lost: `documents.ts`.
 * - A process that stalls anywhere and goes on later meets a changed ETag, or an ended artifact of its own, and gives up.
 * - The state of an intent does not say who works on it. To finish one whose process is alive is safe, and costs that process a
 *   repetition at most; `finishIntents` leaves young ones alone.
 */
import { type Clock, type Ids, type ObjectStore, unavailable } from 'siltstone/internal'
import type { ArtifactType } from '../evidence/evidence.ts'
import {
  type Artifact,
  artifactOf,
  checkRequest,
  claimsOf,
  exists,
  inState,
  MAX_CHANGES,
  noArtifact,
  type RegisterRequest,
  reserving,
  withSource,
} from './artifact.ts'
import {
  type ArtifactDocument,
  artifactKind,
  type ArtifactState,
  type AuditAction,
  claimKind,
  type IntentDocument,
  intentKind,
} from './artifact-document.ts'
import { Audit } from './audit.ts'
import { acquireClaim } from './claims.ts'
import { Documents } from './documents.ts'
import { intentKey, INTENTS_PREFIX, isUlid, metadataKey, repositoryClaimKey, sourceClaimKey } from './keys.ts'

export interface ArtifactsOptions {
  store: ObjectStore
  clock: Clock
  ids: Ids
  /**
   * Called after each change of a visible artifact, and before its intent is deleted, so that a process which ends in between
   * leaves the intent, and `finishIntents` calls it again.
   */
  onChange?: (id: string) => Promise<void>
}

const TRIES = 20
const YOUNG_INTENT_MS = 60_000

export class Artifacts {
  readonly audit: Audit
  readonly #options: ArtifactsOptions
  readonly #documents: Documents

  constructor(options: ArtifactsOptions) {
    this.#options = options
    this.#documents = new Documents(options)
    this.audit = new Audit({ ...options, documents: this.#documents })
  }

  /** @throws SiltstoneError `invalid` (artifact-name, artifact-source, repository-name), `conflict` (artifact-exists) */
  async register(request: RegisterRequest): Promise<Artifact> {
    checkRequest(request)
    const claims = claimsOf(request)
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outcome = await this.#registerOnce(request, claims)
      if (outcome !== 'again') return outcome
      await this.#options.clock.sleep(10 * (attempt + 1))
    }
    throw unavailable('registry-contended', 'others register the same source: try again', { retryAfterMs: 1_000 })
  }

  /** Undefined: there is no such artifact that is visible. */
  async find(id: string): Promise<Artifact | undefined> {
    const document = await this.#read(id)
    return document?.siltstone.state === 'ready' ? artifactOf(document) : undefined
  }

  /** @throws SiltstoneError `not-found` (artifact-not-found) */
  async get(id: string): Promise<Artifact> {
    const artifact = await this.find(id)
    if (artifact === undefined) throw noArtifact(id)
    return artifact
  }

  /** The visible artifact of a source. */
  findBySource(type: ArtifactType, canonicalUrl: string): Promise<Artifact | undefined> {
    return this.#findByClaim(sourceClaimKey(type, canonicalUrl))
  }

  /** The visible artifact of a repository name. */
  findByRepository(type: ArtifactType, repository: string): Promise<Artifact | undefined> {
    return this.#findByClaim(repositoryClaimKey(type, repository))
  }

  /** @throws SiltstoneError `not-found` (artifact-not-found) */
  async delete(id: string, by: string): Promise<void> {
    await this.get(id)
    const [ulid, intent] = await this.#begin('delete', id, by)
    if (!(await this.#finishDelete(ulid, intent))) throw noArtifact(id)
  }

  /**
   * Changes a visible artifact's document.
   * @param audit the entry that it makes; null: none
   * @param decide returns the next document, or undefined to leave it as it is
   * @throws SiltstoneError `not-found` (artifact-not-found)
   */
  async change(
    id: string,
    by: string,
    audit: AuditAction | null,
    decide: (current: ArtifactDocument) => ArtifactDocument | undefined,
  ): Promise<Artifact> {
    await this.get(id)
    const [ulid, intent] = await this.#begin('change', id, by, audit)
    const version = await this.#documents.change(metadataKey(id), artifactKind, (current) => {
      const next = current?.siltstone.state === 'ready' ? decide(current) : undefined
      if (next === undefined) return undefined
      const changes = [...(next.siltstone.changes ?? []), ulid].slice(-MAX_CHANGES)
      return { ...next, siltstone: { ...next.siltstone, changes } }
    })
    await this.#finishChange(ulid, intent, version?.document)
    if (version?.document.siltstone.state !== 'ready') throw noArtifact(id)
    return artifactOf(version.document)
  }

  /**
   * Gives a visible artifact another source; what was learned about the old one is dropped. The new claim is named as `reserving`
   * before it is acquired, so that no other process takes it in the meantime. A process that ends in between leaves the old source.
   * @param canonicalUrl as of `parseSourceUrl`
   * @throws SiltstoneError `not-found` (artifact-not-found), `conflict` (artifact-exists)
   */
  async changeSource(id: string, by: string, canonicalUrl: string): Promise<Artifact> {
    const { type } = await this.get(id)
    const key = sourceClaimKey(type, canonicalUrl)
    const [ulid, intent] = await this.#begin('change', id, by, 'UPDATE')
    const changed = (decide: (current: ArtifactDocument) => ArtifactDocument | undefined) =>
      this.#documents.change(metadataKey(id), artifactKind, (current) =>
        current?.siltstone.state === 'ready' ? decide(current) : undefined,
      )
    await changed((current) => (current.siltstone.claims.includes(key) ? undefined : reserving(current, key)))
    const owner = await this.#acquire(key, id)
    const version = await changed((current) =>
      owner === undefined ? withSource(current, key, canonicalUrl, ulid) : reserving(current, undefined),
    )
    await this.#finishChange(ulid, intent, version?.document)
    if (version?.document.siltstone.state !== 'ready') throw noArtifact(id)
    if (owner !== undefined) throw exists(owner)
    if (version.document.data.url !== canonicalUrl) {
      throw unavailable('registry-contended', 'others change the same artifact: try again', { retryAfterMs: 1_000 })
    }
    return artifactOf(version.document)
  }

  /** As it is stored, in any state; undefined: there is none. */
  async document(id: string): Promise<ArtifactDocument | undefined> {
    return this.#read(id)
  }

  /** Finishes what processes left half-done. @param minAgeMs of intents by the store's clock. @returns how many */
  async finishIntents(minAgeMs = YOUNG_INTENT_MS): Promise<number> {
    const { store, clock } = this.#options
    let finished = 0
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const page = await store.list(INTENTS_PREFIX, continuation === undefined ? {} : { continuation })
      continuation = page.continuation
      for (const { key, lastModifiedMs } of page.objects) {
        if (clock.nowMs() - lastModifiedMs < minAgeMs) continue
        const intent = (await this.#documents.read(key, intentKind))?.document
        if (intent === undefined) continue
        const ulid = key.slice(INTENTS_PREFIX.length).replace(/\.json$/, '')
        if (intent.action === 'delete') await this.#finishDelete(ulid, intent)
        else if (intent.action === 'change') await this.#finishChange(ulid, intent, await this.#read(intent.artifact))
        else await this.#finishRegister(ulid, intent)
        finished++
      }
    }
    return finished
  }

  async #registerOnce(request: RegisterRequest, claims: readonly string[]): Promise<Artifact | 'again'> {
    // Most refusals are seen here, before anything is written.
    for (const key of claims) {
      const owner = await this.#findByClaim(key)
      if (owner !== undefined) throw exists(owner)
    }
    const { clock, ids } = this.#options
    const id = ids.ulid()
    const [ulid, intent] = await this.#begin('register', id, request.by)
    const document: ArtifactDocument = {
      metadata: { name: request.name, id, type: request.type },
      data: request.url === undefined ? {} : { url: request.url },
      created_at: new Date(clock.nowMs()).toISOString(),
      created_by: request.by,
      siltstone: {
        format: artifactKind.format,
        v: artifactKind.v,
        writes: [],
        state: 'pending',
        repository: request.repository ?? null,
        claims,
        ...(request.isPrivate === true && { isPrivate: true }),
      },
    }
    await this.#documents.write(metadataKey(id), artifactKind, document, null)
    for (const key of claims) {
      const owner = await this.#acquire(key, id)
      if (owner === undefined) continue
      const state = await this.#end(id)
      await this.#finishRegister(ulid, intent)
      // If this claim was free for a moment, another process may have completed the artifact: then this call has succeeded.
      if (state !== 'ready') throw exists(owner)
    }
    const state = await this.#finishRegister(ulid, intent)
    return state === 'ready' ? artifactOf(document) : 'again'
  }

  #acquire(key: string, id: string): Promise<Artifact | undefined> {
    return acquireClaim({ documents: this.#documents, settle: (owner) => this.#settle(owner) }, key, id)
  }

  /** Finishes a pending registration, and returns the artifact's document as it is then. */
  async #settle(id: string): Promise<ArtifactDocument | undefined> {
    const document = await this.#read(id)
    if (document?.siltstone.state !== 'pending') return document
    const claims = await Promise.all(document.siltstone.claims.map((key) => this.#documents.read(key, claimKind)))
    const hasAll = claims.every((claim) => claim?.document.artifact === id)
    return this.#leavePending(id, hasAll ? 'ready' : 'aborted')
  }

  async #end(id: string): Promise<ArtifactState | undefined> {
    return (await this.#leavePending(id, 'aborted'))?.siltstone.state
  }

  async #leavePending(id: string, state: 'ready' | 'aborted'): Promise<ArtifactDocument | undefined> {
    const version = await this.#documents.change(metadataKey(id), artifactKind, (current) =>
      current?.siltstone.state === 'pending' ? inState(current, state) : undefined,
    )
    return version?.document
  }

  async #finishRegister(ulid: string, intent: IntentDocument): Promise<ArtifactState | undefined> {
    const document = await this.#settle(intent.artifact)
    const state = document?.siltstone.state
    // A deleted one was ready before.
    if (document !== undefined && state !== 'aborted') {
      await this.audit.record('CREATE', document.metadata, intent.by, ulid, intent.at)
      await this.#options.onChange?.(intent.artifact)
    }
    await this.#remove(ulid)
    return state
  }

  async #finishChange(ulid: string, intent: IntentDocument, document: ArtifactDocument | undefined): Promise<void> {
    const audit = intent.audit ?? null
    if (document?.siltstone.reserving !== undefined) {
      // Its process has ended. One that is only slow finds its reservation gone, and gives up.
      await this.#documents.change(metadataKey(intent.artifact), artifactKind, (current) =>
        current?.siltstone.reserving === undefined ? undefined : reserving(current, undefined),
      )
    }
    if (document?.siltstone.changes?.includes(ulid) === true) {
      if (audit !== null) await this.audit.record(audit, document.metadata, intent.by, ulid, intent.at)
      await this.#options.onChange?.(intent.artifact)
    }
    await this.#remove(ulid)
  }

  /** False: another deletion was first. */
  async #finishDelete(ulid: string, intent: IntentDocument): Promise<boolean> {
    const version = await this.#documents.change(metadataKey(intent.artifact), artifactKind, (current) => {
      if (current?.siltstone.state !== 'ready') return undefined
      const deleted = inState(current, 'deleted')
      return { ...deleted, siltstone: { ...deleted.siltstone, deletion: ulid } }
    })
    const isOurs = version?.document.siltstone.deletion === ulid
    if (isOurs) {
      await this.audit.record('DELETE', version.document.metadata, intent.by, ulid, intent.at)
      await this.#options.onChange?.(intent.artifact)
    }
    await this.#remove(ulid)
    return isOurs
  }

  async #begin(
    action: IntentDocument['action'],
    artifact: string,
    by: string,
    audit?: AuditAction | null,
  ): Promise<[string, IntentDocument]> {
    const { clock, ids } = this.#options
    const ulid = ids.ulid()
    const at = new Date(clock.nowMs()).toISOString()
    const intent: IntentDocument = {
      action,
      artifact,
      by,
      at,
      ...(audit !== undefined && { audit }),
      siltstone: { format: intentKind.format, v: intentKind.v, writes: [] },
    }
    await this.#documents.write(intentKey(ulid), intentKind, intent, null)
    return [ulid, intent]
  }

  /** A failure is left to `finishIntents`: the change itself is complete. */
  async #remove(ulid: string): Promise<void> {
    const { failed } = await this.#options.store.delete([intentKey(ulid)])
    if (failed[0] !== undefined) throw failed[0].error
  }

  async #findByClaim(key: string): Promise<Artifact | undefined> {
    const claim = await this.#documents.read(key, claimKind)
    const owner = claim === undefined ? undefined : await this.#read(claim.document.artifact)
    return owner?.siltstone.state === 'ready' && owner.siltstone.claims.includes(key) ? artifactOf(owner) : undefined
  }

  async #read(id: string): Promise<ArtifactDocument | undefined> {
    return isUlid(id) ? (await this.#documents.read(metadataKey(id), artifactKind))?.document : undefined
  }
}
