/** What the operations of the Hub API share. */
import { createHash } from 'node:crypto'
import { type Clock, forbidden, type Logger, notFound } from 'siltstone/internal'
import type { Accounts } from '../accounts/accounts.ts'
import type { Session } from '../accounts/session.ts'
import type { ArtifactType } from '../evidence/evidence.ts'
import { type BodyLimits, checkSize } from '../http/body-limits.ts'
import type { Call, SignedInCall } from '../http/route.ts'
import { isVisible } from '../lineage/lineage.ts'
import type { Registry } from '../registry.ts'
import type { Artifact } from '../store/artifact.ts'
import type { CommitFile, FileCommit } from '../store/commits.ts'
import type { LinkSigner } from '../store/secret.ts'

export interface HubContext {
  registry: Registry
  accounts: Accounts
  signer: LinkSigner
  clock: Clock
  log: Logger
  bodyLimits?: BodyLimits | undefined
}

export const REPO_TYPES = ['models', 'datasets', 'spaces'] as const
export type RepoType = (typeof REPO_TYPES)[number]

const ARTIFACT_TYPE: Readonly<Record<RepoType, ArtifactType>> = { models: 'model', datasets: 'dataset', spaces: 'code' }
export const artifactType = (type: RepoType): ArtifactType => ARTIFACT_TYPE[type]
/** In URLs of pages and files, as opposed to those of the API. */
export const pathPrefix = (type: RepoType): string => (type === 'models' ? '' : `${type}/`)

export interface Repository {
  artifact: Artifact
  type: RepoType
  /** `owner/name` */
  id: string
}

export const endpointOf = ({ url, base }: Call): string => `${url.origin}${base}`

/**
 * A private repository of somebody else looks as if it were not there.
 * @throws SiltstoneError `not-found` (repo-not-found)
 */
export async function repositoryOf(context: HubContext, call: SignedInCall, type: RepoType): Promise<Repository> {
  const { owner = '', name = '' } = call.params
  return namedRepository(context, call.session, type, `${owner}/${name}`)
}

export async function namedRepository(
  { registry }: HubContext,
  { user, isAdmin }: Session,
  type: RepoType,
  id: string,
): Promise<Repository> {
  const artifact = isRepositoryName(id) ? await registry.artifacts.findByRepository(artifactType(type), id) : undefined
  if (artifact === undefined || !isVisible(artifact, { name: user, isAdmin })) {
    throw notFound('repo-not-found', `Repository Not Found: ${id.slice(0, 200)}`)
  }
  return { artifact, type, id: artifact.repository ?? id }
}

export const isRepositoryName = (id: string): boolean => /^[A-Za-z0-9_][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95}$/.test(id)

/** @throws SiltstoneError `forbidden` (repo-forbidden) */
export function checkWritable({ artifact, id }: Repository, { user, isAdmin }: Session): void {
  if (isAdmin || artifact.createdBy === user) return
  throw forbidden('repo-forbidden', `only ${artifact.createdBy} and admins may write to ${id}`)
}

/** @throws SiltstoneError `not-found` (revision-not-found) */
export const commitOf = ({ registry }: HubContext, { artifact }: Repository, revision: string): Promise<FileCommit> =>
  registry.commits.resolve(artifact.id, revision.replace(/^refs\/(?:heads|tags)\//, ''))

/**
 * @param isDirect the file is sent to the bucket itself, if that is possible
 * @throws SiltstoneError `invalid` (body-too-large)
 */
export function checkFileSize(
  { registry, bodyLimits }: HubContext,
  what: string,
  sizeBytes: number,
  isDirect: boolean,
): void {
  if (bodyLimits === undefined) return
  const requestBytes = isDirect && registry.blobUploads !== undefined ? bodyLimits.directBytes : bodyLimits.requestBytes
  checkSize(what, sizeBytes, { ...bodyLimits, requestBytes })
}

/** As git does it. */
export function gitOidOf(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** A file as the API lists it. Files without a git id are large ones, which a repository of git holds as a pointer. */
export function fileEntry(path: string, { sha256, sizeBytes, gitOid }: CommitFile) {
  if (gitOid !== undefined) return { type: 'file', path, oid: gitOid, size: sizeBytes }
  const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${sizeBytes}\n`)
  const lfs = { oid: sha256, size: sizeBytes, pointerSize: pointer.length }
  return { type: 'file', path, oid: gitOidOf(pointer), size: sizeBytes, lfs }
}
