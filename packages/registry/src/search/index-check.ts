/** What the index has of artifacts, compared with what it should have. */
import type { Metadata, StoreCollection } from 'siltstone'
import type { ArtifactDocument } from '../store/artifact-document.ts'
import { entryMetadata } from './entry.ts'

export interface IndexDifference {
  id: string
  text: string
}

export interface ReadArtifact {
  id: string
  document: ArtifactDocument | undefined
}

export async function differencesOf(
  { names, readmes }: { names: StoreCollection; readmes: StoreCollection },
  read: readonly ReadArtifact[],
): Promise<IndexDifference[]> {
  const args = { ids: read.map(({ id }) => id), include: ['metadatas' as const, 'documents' as const] }
  const [named, described] = await Promise.all([names.get(args), readmes.get(args)])
  const byName = new Map(named.rows().map((row) => [row.id, row]))
  const byReadme = new Map(described.rows().map((row) => [row.id, row]))
  return read.flatMap(({ id, document }) => {
    const text = difference(document, byName.get(id), byReadme.get(id))
    return text === undefined ? [] : [{ id, text }]
  })
}

interface Entry {
  document?: string | null | undefined
  metadata?: Metadata | null | undefined
}

function difference(
  document: ArtifactDocument | undefined,
  name: Entry | undefined,
  readme: Entry | undefined,
): string | undefined {
  if (document?.siltstone.state !== 'ready') {
    return name === undefined && readme === undefined
      ? undefined
      : 'the index shows it, and the bucket has no such artifact'
  }
  if (name === undefined) return 'the index does not show it'
  const expected = canonical(entryMetadata(document))
  if (name.document !== document.metadata.name || canonical(name.metadata) !== expected)
    return 'the index shows it otherwise than its metadata is'
  const text = document.data.hf_data?.[0].readme_text || undefined
  if ((readme?.document ?? undefined) !== text) return 'the index has another README'
  return readme !== undefined && canonical(readme.metadata) !== expected
    ? 'the index shows its README otherwise than its metadata is'
    : undefined
}

/** Equal for equal metadata. A null stands for no value. */
function canonical(metadata: Metadata | null | undefined): string {
  const entries = Object.entries(metadata ?? {}).filter(([, value]) => value !== null)
  return JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
