/** Acquiring a claim; `artifacts.ts` explains the protocol. */
import { unavailable } from 'siltstone/internal'
import { type Artifact, artifactOf } from './artifact.ts'
import { type ArtifactDocument, claimKind } from './artifact-document.ts'
import type { Documents } from './documents.ts'

const TRIES = 20

export interface ClaimHost {
  documents: Documents
  /** Finishes a pending registration, and returns the artifact's document as it is then. */
  settle(id: string): Promise<ArtifactDocument | undefined>
}

/** Undefined: the claim names `id` now. Else the visible artifact that has it. */
export async function acquireClaim(host: ClaimHost, key: string, id: string): Promise<Artifact | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const current = await host.documents.read(key, claimKind)
    if (current?.document.artifact === id) return undefined
    if (current !== undefined) {
      const owner = await host.settle(current.document.artifact)
      // An artifact that was given another source has left its old claim behind.
      const holds = owner?.siltstone.claims.includes(key) === true || owner?.siltstone.reserving === key
      if (owner?.siltstone.state === 'ready' && holds) return artifactOf(owner)
    }
    const claim = {
      artifact: id,
      siltstone: { format: claimKind.format, v: claimKind.v, writes: current?.document.siltstone.writes ?? [] },
    }
    const written = await host.documents.write(key, claimKind, claim, current ?? null)
    if (written.status === 'ok') return undefined
  }
  throw unavailable('registry-contended', `too many concurrent writes of ${key}: try again`, {
    key,
    retryAfterMs: 1_000,
  })
}
