/** Keys of the registry in the object store. No other module makes or parses one. */
import { createHash } from 'node:crypto'
import { invalid } from 'siltstone/internal'
import type { ArtifactType } from '../evidence/evidence.ts'

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/
const SHA256 = /^[0-9a-f]{64}$/

export const ARTIFACTS_PREFIX = 'artifacts/'
export const INTENTS_PREFIX = 'registry/intents/'
export const BLOBS_PREFIX = 'registry/blobs/'
/** Files that consist of chunks of xorbs, as opposed to blobs. */
export const CHUNKED_FILES_PREFIX = 'registry/chunked-files/'
export const XORBS_PREFIX = 'registry/xorbs/'
export const CHUNK_TABLES_PREFIX = 'registry/chunk-tables/'
/** For deduplication among machines (`xet/shared-chunks.ts`). */
export const SHARED_CHUNKS_PREFIX = 'registry/shared-chunks/'
export const XORB_USES_PREFIX = 'registry/xorb-uses/'
/** What clients sent to the bucket themselves, and was not verified yet. */
export const UPLOADS_PREFIX = 'registry/uploads/'
export const GC_KEY = 'registry/gc.json'
export const UPKEEP_KEY = 'registry/upkeep.json'
export const SECRET_KEY = 'registry/secret.json'

export const isUlid = (text: string): boolean => ULID.test(text)
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Milliseconds since 1970: the first ten characters of a ULID. */
export const ulidTimeMs = (ulid: string): number =>
  Array.from(ulid.slice(0, 10)).reduce((sum, character) => sum * 32 + CROCKFORD.indexOf(character), 0)

export const isSha256 = (text: string): boolean => SHA256.test(text)

export const metadataKey = (id: string): string => `${ARTIFACTS_PREFIX}${id}/metadata.json`
export const refsKey = (id: string): string => `${ARTIFACTS_PREFIX}${id}/refs.json`
export const commitsPrefix = (id: string): string => `${ARTIFACTS_PREFIX}${id}/commits/`
export const commitKey = (id: string, oid: string): string => `${commitsPrefix(id)}${oid}.json`
/** The id of a commit of its key. */
export const commitOfKey = (key: string): string | undefined => /\/([0-9a-f]{40})\.json$/.exec(key)?.[1]
export const evidenceKey = (id: string, digest: string): string => `${ARTIFACTS_PREFIX}${id}/evidence/${digest}.json`
export const ratingKey = (id: string, digest: string, version: number): string =>
  `${ARTIFACTS_PREFIX}${id}/ratings/${digest}-${version}.json`
/** Says that the artifact is being rated. */
export const ratingMarkKey = (id: string): string => `registry/ratings/${id}.json`
export const auditPrefix = (id: string): string => `${ARTIFACTS_PREFIX}${id}/audit/`
export const auditKey = (id: string, ulid: string): string => `${auditPrefix(id)}${ulid}.json`
export const adminAuditKey = (ulid: string): string => `registry/audit/${ulid}.json`
export const intentKey = (ulid: string): string => `${INTENTS_PREFIX}${ulid}.json`
export const blobKey = (sha256: string): string => `${BLOBS_PREFIX}${sha256}`

export const chunkedFileKey = (sha256: string): string => `${CHUNKED_FILES_PREFIX}${sha256}.json`
/** The SHA-256 of a key. */
export const chunkedFileOfKey = (key: string): string | undefined =>
  key.startsWith(CHUNKED_FILES_PREFIX) ? /\/([0-9a-f]{64})\.json$/.exec(key)?.[1] : undefined

export const blobUploadKey = (sha256: string, ulid: string): string => `${UPLOADS_PREFIX}${sha256}/${ulid}`

export const USERS_PREFIX = 'users/'
export const TOKENS_PREFIX = 'tokens/'

/** Names may hold any character, so keys hold their hash. */
export const userKey = (name: string): string =>
  `${USERS_PREFIX}${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`

export const usageKey = (name: string): string => `registry/usage/${userKey(name).slice(USERS_PREFIX.length)}`

/** @param sha256 of the token: a token itself is stored nowhere */
export const tokenKey = (sha256: string): string => `${TOKENS_PREFIX}${sha256}.json`

/** @param folder of the user */
export const xorbKey = (folder: string, hash: string): string => `${XORBS_PREFIX}${folder}/${hash}`

/** The user's folder and the hash of a key. */
export function xorbOfKey(key: string): { folder: string; hash: string } | undefined {
  const [, folder, hash] = /^registry\/xorbs\/([^/]+)\/([^/]+)$/.exec(key) ?? []
  return folder === undefined || hash === undefined ? undefined : { folder, hash }
}
export const chunkTableKey = (folder: string, hash: string): string => `${CHUNK_TABLES_PREFIX}${folder}/${hash}`

/** Says that a file has a chunk. @param chunk its hash @param sha256 of the file */
export const sharedChunkPrefix = (chunk: string): string => `${SHARED_CHUNKS_PREFIX}${chunk}/`
export const sharedChunkKey = (chunk: string, sha256: string): string => `${sharedChunkPrefix(chunk)}${sha256}`
export const fileOfSharedChunk = (key: string): string | undefined => {
  const last = key.slice(key.lastIndexOf('/') + 1)
  return isSha256(last) ? last : undefined
}

/** Says that a version of an artifact's files has chunks of a xorb. */
export const xorbUsesPrefix = (hash: string): string => `${XORB_USES_PREFIX}${hash}/`
export const xorbUseKey = (hash: string, folder: string, id: string): string => `${xorbUsesPrefix(hash)}${folder}/${id}`
export function xorbUseOfKey(key: string): { hash: string; folder: string; id: string } | undefined {
  const [hash, folder, id, more] = key.slice(XORB_USES_PREFIX.length).split('/')
  if (hash === undefined || folder === undefined || id === undefined || more !== undefined || !isUlid(id))
    return undefined
  return { hash, folder, id }
}

/** The claim on a source, which may be registered once for each type. */
export function sourceClaimKey(type: ArtifactType, canonicalUrl: string): string {
  return `registry/claims/source/${type}/${createHash('sha256').update(canonicalUrl).digest('hex')}`
}

/**
 * The claim on a repository's name, by any capitalisation.
 * @param repository `owner/name` @throws SiltstoneError `invalid` (repository-name)
 */
export function repositoryClaimKey(type: ArtifactType, repository: string): string {
  if (!/^[A-Za-z0-9_][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95}$/.test(repository)) {
    throw invalid(
      'repository-name',
      `"${repository.slice(0, 200)}" is no repository name: give owner/name of letters, digits, ".", "_" and "-"`,
      {
        field: 'repository',
      },
    )
  }
  return `registry/claims/repo/${type}/${repository.toLowerCase()}`
}

/** The artifact of a key of its metadata, as in a listing of prefixes: `artifacts/<id>/`. */
export function artifactOfPrefix(prefix: string): string | undefined {
  const id = prefix.slice(ARTIFACTS_PREFIX.length).replace(/\/$/, '')
  return isUlid(id) ? id : undefined
}
