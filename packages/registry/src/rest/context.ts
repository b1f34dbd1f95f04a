/** What the operations of the REST contract share. */
import { type Clock, forbidden, invalid, notFound, type StorageFallback } from 'siltstone/internal'
import type { Accounts } from '../accounts/accounts.ts'
import type { Session } from '../accounts/session.ts'
import type { ArtifactType } from '../evidence/evidence.ts'
import type { Call } from '../http/route.ts'
import type { Traffic } from '../http/traffic.ts'
import { isVisible } from '../lineage/lineage.ts'
import type { Registry } from '../registry.ts'
import type { IndexedArtifact } from '../search/entry.ts'
import type { Viewer } from '../search/artifact-index.ts'
import type { Artifact } from '../store/artifact.ts'

export interface RestContext {
  registry: Registry
  accounts: Accounts
  traffic: Traffic
  clock: Clock
  startedAtMs: number
  version: string
  /** Where the Hub API is, below the address of the server. */
  hubPath: string
  fallback: StorageFallback | undefined
}

export const TYPES: readonly ArtifactType[] = ['model', 'dataset', 'code']

/** @throws SiltstoneError `invalid` (artifact-type) */
export function typeOf(text: string | undefined): ArtifactType {
  const type = TYPES.find((each) => each === text)
  if (type !== undefined) return type
  throw invalid('artifact-type', `"${text?.slice(0, 50)}" is no type: give one of ${TYPES.join(', ')}`, {
    field: 'artifact_type',
  })
}

export const viewerOf = ({ user, isAdmin }: Session): Viewer => ({ name: user, isAdmin })

/**
 * The artifact that the path names, if the user may see it.
 * @throws SiltstoneError `invalid` (artifact-type, artifact-id), `not-found` (artifact-not-found)
 */
export async function artifactOf(context: RestContext, call: Call, session: Session): Promise<Artifact> {
  const { artifact_type: given = 'model', id = '' } = call.params
  const type = typeOf(given)
  if (!/^[a-zA-Z0-9-]+$/.test(id)) {
    throw invalid('artifact-id', `"${id.slice(0, 100)}" is no id: give letters, digits and "-"`, { field: 'id' })
  }
  const artifact = await context.registry.artifacts.find(id)
  if (artifact?.type !== type || !isVisible(artifact, viewerOf(session))) {
    throw notFound('artifact-not-found', `there is no ${type} ${id.slice(0, 100)}`)
  }
  return artifact
}

/** @throws SiltstoneError `forbidden` (artifact-forbidden) */
export function checkOwner({ id, createdBy }: Artifact, { user, isAdmin }: Session): void {
  if (isAdmin || createdBy === user) return
  throw forbidden('artifact-forbidden', `only ${createdBy} and admins may change artifact ${id}`)
}

export const metadataBody = ({ name, id, type }: IndexedArtifact | Artifact) => ({ name, id, type })

export function artifactBody(context: RestContext, call: Call, artifact: Artifact) {
  const { origin } = call.url
  const { id, type, repository } = artifact
  const own = `${origin}${context.hubPath}/${type === 'dataset' ? 'datasets/' : ''}${repository ?? id}`
  return {
    metadata: metadataBody(artifact),
    data: { url: artifact.url ?? own, download_url: `${origin}/download/${type}/${id}` },
  }
}
