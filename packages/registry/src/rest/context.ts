/** What the operations of the REST contract share. */
import { type Clock, forbidden, invalid, notFound, type StorageFallback } from 'siltstone/internal'
import type { Accounts } from '../accounts/accounts.ts'
import type { Session } from '../accounts/session.ts'
import type { ArtifactType } from '../evidence/evidence.ts'
import { tokenOf } from '../http/app.ts'
import type { Call, SignedInCall } from '../http/route.ts'
import type { Traffic } from '../http/traffic.ts'
import { isVisible } from '../lineage/lineage.ts'
import type { Registry } from '../registry.ts'
import type { IndexedArtifact } from '../search/entry.ts'
import type { Viewer } from '../search/artifact-index.ts'
import type { Artifact } from '../store/artifact.ts'
import type { LinkSigner } from '../store/secret.ts'

export interface RestContext {
  registry: Registry
  accounts: Accounts
  signer: LinkSigner
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

/** The link to the download works without a token for an hour, where the one who asks may download. */
export async function artifactBody(context: RestContext, call: SignedInCall, artifact: Artifact) {
  const { origin } = call.url
  const { id, type, repository } = artifact
  const own = `${origin}${context.hubPath}/${type === 'dataset' ? 'datasets/' : ''}${repository ?? id}`
  const query = await downloadQuery(context, call.session, id)
  return {
    metadata: metadataBody(artifact),
    data: { url: artifact.url ?? own, download_url: `${origin}/download/${type}/${id}${query}` },
  }
}

const LINK_MS = 3_600_000
const linkOf = (id: string, user: string) => `GET /download ${id} ${user}`

/** Tokens of the server are no accounts, so nothing ends their links: they get none. */
async function downloadQuery({ signer }: RestContext, session: Session, id: string): Promise<string> {
  const { user, kind, permissions } = session
  if (kind === 'operator' || !permissions.includes('download')) return ''
  return `?by=${encodeURIComponent(user)}&${await signer.sign(linkOf(id, user), LINK_MS)}`
}

/**
 * The session of a signed link to a download; undefined: the link has no signature, or there is a token, which goes before it.
 * @throws SiltstoneError `forbidden` (link-signature, link-expired), `unauthorized` (token-unknown)
 */
export async function linkSession({ signer, accounts }: RestContext, call: Call): Promise<Session | undefined> {
  const by = call.query.get('by')
  if (by === null || !call.query.has('sig') || tokenOf(call.request.headers) !== undefined) return undefined
  await signer.check(linkOf(call.params['id'] ?? '', by), call.query)
  return accounts.sessionOfLink(by)
}
