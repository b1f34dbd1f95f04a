/** Reads the whole registry and reports what does not fit. It changes nothing. */
import { isSiltstoneError, type ObjectStore } from 'siltstone/internal'
import { artifactKind, claimKind } from './artifact-document.ts'
import type { Blobs } from './blobs.ts'
import { commitKind, refsKind } from './commits.ts'
import type { DocumentKind, Documents, Envelope } from './documents.ts'
import { artifactOfPrefix, ARTIFACTS_PREFIX, commitKey, metadataKey, refsKey } from './keys.ts'

export interface RegistryFinding {
  key: string
  text: string
}

export interface RegistryReport {
  /** Visible ones. */
  artifacts: number
  /** Bytes of the files of their branches and tags, each blob once. */
  fileBytes: number
  findings: RegistryFinding[]
}

/** @param ids of the artifacts to read. Default: all */
export async function verifyRegistry(
  parts: {
    store: ObjectStore
    documents: Documents
    blobs: Blobs
  },
  ids?: Iterable<string>,
): Promise<RegistryReport> {
  const check = new Check(parts)
  if (ids !== undefined) {
    for (const id of ids) await check.artifact(id)
    return check.report
  }
  for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
    const options = { delimiter: '/' as const, ...(continuation !== undefined && { continuation }) }
    const page = await parts.store.list(ARTIFACTS_PREFIX, options)
    continuation = page.continuation
    for (const prefix of page.prefixes) {
      const id = artifactOfPrefix(prefix)
      if (id !== undefined) await check.artifact(id)
    }
  }
  return check.report
}

class Check {
  readonly report: RegistryReport = { artifacts: 0, fileBytes: 0, findings: [] }
  readonly #documents: Documents
  readonly #blobs: Blobs
  readonly #seen = new Set<string>()

  constructor({ documents, blobs }: { documents: Documents; blobs: Blobs }) {
    this.#documents = documents
    this.#blobs = blobs
  }

  async artifact(id: string): Promise<void> {
    const document = await this.#read(metadataKey(id), artifactKind, 'an artifact has objects, but no metadata')
    if (document?.siltstone.state !== 'ready') return
    this.report.artifacts++
    if (document.metadata.id !== id) this.#find(metadataKey(id), `it is the metadata of ${document.metadata.id}`)
    for (const key of document.siltstone.claims) {
      const claim = await this.#read(key, claimKind, `the claim of artifact ${id} is missing`)
      if (claim !== undefined && claim.artifact !== id)
        this.#find(key, `artifact ${id} is visible, but its claim names ${claim.artifact}`)
    }
    const refs = await this.#read(refsKey(id), refsKind, undefined)
    for (const oid of new Set([...Object.values(refs?.branches ?? {}), ...Object.values(refs?.tags ?? {})]))
      await this.#commit(id, oid, new Set(refs?.ends))
  }

  async #commit(id: string, first: string, ends: ReadonlySet<string>): Promise<void> {
    const known = new Set<string>()
    for (let oid: string | null = first; oid !== null && !known.has(oid); ) {
      known.add(oid)
      const key: string = commitKey(id, oid)
      const commit:
        | { parent: string | null; files: Readonly<Record<string, { sha256: string; sizeBytes: number }>> }
        | undefined = await this.#read(key, commitKind, 'a commit that is named is missing')
      for (const [path, { sha256, sizeBytes }] of Object.entries(commit?.files ?? {})) {
        if (this.#seen.has(sha256)) continue
        this.#seen.add(sha256)
        const problem = await this.#problem(sha256, sizeBytes)
        if (problem === undefined) this.report.fileBytes += sizeBytes
        else this.#find(key, `the contents of ${path}, ${sha256}, ${problem}`)
      }
      oid = ends.has(oid) ? null : (commit?.parent ?? null)
    }
  }

  async #problem(sha256: string, sizeBytes: number): Promise<string | undefined> {
    try {
      return await this.#blobs.problem(sha256, sizeBytes)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt') && !isSiltstoneError(error, 'unsupported')) throw error
      return `cannot be read: ${error.message}`
    }
  }

  async #read<T extends Envelope>(
    key: string,
    kind: DocumentKind<T>,
    missing: string | undefined,
  ): Promise<T | undefined> {
    try {
      const document = (await this.#documents.read(key, kind))?.document
      if (document === undefined && missing !== undefined) this.#find(key, missing)
      return document
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt') && !isSiltstoneError(error, 'unsupported')) throw error
      this.#find(key, error.message)
      return undefined
    }
  }

  #find(key: string, text: string): void {
    this.report.findings.push({ key, text })
  }
}
