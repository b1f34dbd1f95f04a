/** An artifact as the rest of the registry sees it, and the changes of its stored form. */
import { conflict, invalid, notFound } from 'siltstone/internal'
import type { ArtifactType } from '../evidence/evidence.ts'
import type { ArtifactDocument, ArtifactFacts, ArtifactState, ReadmeFacts } from './artifact-document.ts'
import { repositoryClaimKey, sourceClaimKey } from './keys.ts'

export interface Artifact {
  id: string
  name: string
  type: ArtifactType
  /** Null: it was uploaded. */
  url: string | null
  /** `owner/name`, if it has one. */
  repository: string | null
  createdAt: string
  createdBy: string
  isPrivate: boolean
  /** Null: nothing was learned about it yet. */
  facts: ArtifactFacts | null
  readme: ReadmeFacts | null
}

export interface RegisterRequest {
  type: ArtifactType
  name: string
  /** Canonical (`parseSourceUrl`). At least one of `url` and `repository` is given. */
  url?: string
  /** `owner/name`: unique among the artifacts of the type, by any capitalisation. */
  repository?: string
  isPrivate?: boolean
  by: string
}

const MAX_NAME_CHARACTERS = 512

export function claimsOf({ type, url, repository }: RegisterRequest): string[] {
  return [
    ...(url === undefined ? [] : [sourceClaimKey(type, url)]),
    ...(repository === undefined ? [] : [repositoryClaimKey(type, repository)]),
  ]
}

export function checkRequest({ name, url, repository }: RegisterRequest): void {
  if (name.trim() === '' || name === '*' || name.length > MAX_NAME_CHARACTERS) {
    const text = `"${name.slice(0, 100)}" cannot be a name: give 1 to ${MAX_NAME_CHARACTERS} characters, and not "*", which means all`
    throw invalid('artifact-name', text, { field: 'name' })
  }
  if (url === undefined && repository === undefined) {
    throw invalid('artifact-source', 'an artifact needs a URL or a repository name', { field: 'url' })
  }
}

export const inState = (document: ArtifactDocument, state: ArtifactState): ArtifactDocument => ({
  ...document,
  siltstone: { ...document.siltstone, state },
})

export function artifactOf({
  metadata,
  data,
  created_at: createdAt,
  created_by: createdBy,
  siltstone,
}: ArtifactDocument): Artifact {
  return {
    ...metadata,
    url: data.url ?? null,
    repository: siltstone.repository,
    createdAt,
    createdBy,
    isPrivate: siltstone.isPrivate ?? false,
    facts: siltstone.facts ?? null,
    readme: data.hf_data?.[0] ?? null,
  }
}

export const exists = ({ id, type, url, repository }: Artifact) =>
  conflict('artifact-exists', `the ${type} ${url ?? repository ?? ''} is registered as ${id}`)
export const noArtifact = (id: string) => notFound('artifact-not-found', `there is no artifact ${id.slice(0, 100)}`)

export const reserving = (document: ArtifactDocument, key: string | undefined): ArtifactDocument => {
  const { reserving: _before, ...rest } = document.siltstone
  return { ...document, siltstone: { ...rest, ...(key !== undefined && { reserving: key }) } }
}

/** Undefined: the claim is neither held nor reserved, so the change must not happen. */
export function withSource(
  document: ArtifactDocument,
  key: string,
  url: string,
  ulid: string,
): ArtifactDocument | undefined {
  const { reserving: reserved, facts: _facts, ...rest } = document.siltstone
  if (reserved !== key && !rest.claims.includes(key)) return undefined
  const claims = [key, ...rest.claims.filter((each) => each !== key && !each.startsWith('registry/claims/source/'))]
  const changes = [...(rest.changes ?? []), ulid].slice(-MAX_CHANGES)
  return { ...document, data: { url }, siltstone: { ...rest, claims, changes } }
}

/** How many intents a document remembers. */
export const MAX_CHANGES = 8
