/** What the index holds of an artifact. */
import type { Metadata } from 'siltstone'
import type { ArtifactType } from '../evidence/evidence.ts'
import type { ArtifactDocument } from '../store/artifact-document.ts'
import { ulidTimeMs } from '../store/keys.ts'

export interface IndexedArtifact {
  id: string
  name: string
  type: ArtifactType
  createdBy: string
  repository: string | null
  url: string | null
  licence: string | null
  netScore: number | null
  tags: readonly string[]
}

export interface ArtifactPage {
  artifacts: IndexedArtifact[]
  /** The last id of the page; null: there are no more. */
  next: string | null
}

/** A null removes a key that an earlier version of the artifact had. */
export function entryMetadata({ metadata, data, created_by: by, siltstone }: ArtifactDocument): Metadata {
  const { facts } = siltstone
  const texts = (values: readonly string[] | undefined) => (values?.length ? [...values] : null)
  return {
    name: metadata.name,
    type: metadata.type,
    by,
    private: siltstone.isPrivate ?? false,
    created_ms: ulidTimeMs(metadata.id),
    repository: siltstone.repository,
    owner: siltstone.repository?.split('/')[0]?.toLowerCase() ?? null,
    hosted: siltstone.repository !== null,
    url: data.url ?? null,
    licence: facts?.licence ?? null,
    net_score: facts?.netScore ?? null,
    library: facts?.libraryName ?? null,
    tags: texts(facts?.tags),
    // Sources are compared by any capitalisation, as hubs do.
    parents: texts(facts?.links?.map(({ url }) => url.toLowerCase())),
  }
}

export function indexedArtifact(id: string, metadata: Metadata | null | undefined): IndexedArtifact {
  const text = (key: string) => {
    const value = metadata?.[key]
    return typeof value === 'string' ? value : null
  }
  const score = metadata?.['net_score']
  const tags = metadata?.['tags']
  return {
    id,
    name: text('name') ?? id,
    type: (text('type') ?? 'model') as ArtifactType,
    createdBy: text('by') ?? '',
    repository: text('repository'),
    url: text('url'),
    licence: text('licence'),
    netScore: typeof score === 'number' ? score : null,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
  }
}
