/**
 * Evidence: everything that a rating rests on, as one JSON document. A source provider records it, metrics are pure functions of
 * it, and equal evidence gives equal ratings in every process and at any time.
 *
 * Each part says how it was learned. `found`: this is what the source answered. `absent`: the source answered that there is
 * none. `unknown`: there is no answer (a failure, a limit, or no request was made). A metric never guesses an unknown part.
 */
import { createHash } from 'node:crypto'

export const EVIDENCE_VERSION = 1

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = Readonly<Record<string, Json>>

interface Learned {
  /** Where it came from: a URL without a query, `upload`, or `card`. */
  source: string
  /** Time spent to learn it, milliseconds. Not part of the digest. */
  tookMs: number
}

export type Part<T> =
  | (Learned & {
      state: 'found'
      value: T /** What is missing of it, if something is: `100 of 2,300 commits`. */
      limits?: string
    })
  | (Learned & { state: 'absent' })
  | (Learned & { state: 'unknown'; reason: string })

export type ArtifactType = 'model' | 'dataset' | 'code'

export interface SourceFile {
  /** With slashes, relative to the root of the repository. */
  path: string
  /** Null: the source does not say. */
  sizeBytes: number | null
  /** Of the contents, hexadecimal, where the source knows it. */
  sha256?: string
}

export interface HubFacts {
  pipelineTag: string | null
  libraryName: string | null
  tags: readonly string[]
  downloads: number | null
  /** Number of values by data type, such as `{"F32": 125000}`, as the hub reads it from safetensors headers. */
  parameters: Readonly<Record<string, number>> | null
}

export interface Commit {
  id: string
  /** RFC 3339, UTC. */
  at: string
  author: { name: string | null; email: string | null; login: string | null }
}

/** A commit of the default branch, and how it came there. */
export interface ReviewedCommit {
  id: string
  author: { login: string | null; name: string | null }
  addedLines: number
  /** The merged pull request that brought it; null: it was pushed directly. */
  pullRequest: { number: number; author: string | null; approvedBy: readonly string[] } | null
}

export interface CodeFile extends SourceFile {
  /** Null: not read. */
  lines: number | null
  /** Whether strings and brackets are closed (`snippet.ts`); null: not read, or not a language that is checked. */
  parses: boolean | null
}

export interface CodeTree {
  /** Canonical URL, or `upload`. */
  url: string
  files: readonly CodeFile[]
  /** Contents of small files that metrics look at: README, LICENSE, requirements, project configuration. */
  texts: Readonly<Record<string, string>>
}

export interface DatasetFacts {
  /** `owner/name`. */
  id: string
  hasCard: boolean
  licence: string | null
  /** Bytes or rows are stated or were counted. */
  hasSize: boolean
  /** Features or splits are described. */
  hasFeatures: boolean
  /** The card says where the data came from: a source, an annotation process, a paper. */
  hasProvenance: boolean
  /** Null: the source does not count them. */
  downloads: number | null
}

export interface Parent {
  url: string
  relation: string
  /** Null: it is not in the registry. */
  netScore: number | null
}

/** An evaluation of this revision that somebody attached to the artifact. */
export interface EvaluationReport {
  dataset: string
  metric: string
  observed: number
  url: string
}

/** A run of the README's code that somebody attached to the artifact. */
export interface RunRecord {
  revision: string
  succeeded: boolean
  url: string
}

export interface Evidence {
  v: typeof EVIDENCE_VERSION
  subject: {
    type: ArtifactType
    name: string
    /** Canonical URL of the source, or `upload`. */
    url: string
    /** `owner/name`, if the source has owners. */
    repository: string | null
    revision: string | null
  }
  /** The day, `2026-11-28`, against which ages are counted. */
  observedOn: string
  files: Part<readonly SourceFile[]>
  /** Contents of small files of the artifact by path: config.json, LICENSE, requirements.txt, safetensors index. */
  texts: Part<Readonly<Record<string, string>>>
  readme: Part<string>
  /** The front matter of the README as data. */
  card: Part<JsonObject>
  hub: Part<HubFacts>
  /** Newest first, at most 1,000, of the artifact's own repository. */
  commits: Part<readonly Commit[]>
  /** The linked code repository, or the uploaded code. */
  code: Part<CodeTree>
  codeCommits: Part<readonly Commit[]>
  /** Absent: no GitHub repository is linked. */
  reviews: Part<readonly ReviewedCommit[]>
  /** Those the card names and that exist; absent: it names none. */
  datasets: Part<readonly DatasetFacts[]>
  /** An empty list: card and configuration were read and name none. */
  parents: Part<readonly Parent[]>
  reports: Part<readonly EvaluationReport[]>
  runs: Part<readonly RunRecord[]>
}

/** The parts of evidence by name. */
export type PartName = {
  [K in keyof Evidence]: Evidence[K] extends Part<unknown> ? K : never
}[keyof Evidence]

export const PART_NAMES = [
  'files',
  'texts',
  'readme',
  'card',
  'hub',
  'commits',
  'code',
  'codeCommits',
  'reviews',
  'datasets',
  'parents',
  'reports',
  'runs',
] as const satisfies readonly PartName[]

export const found = <T>(value: T, source: string, tookMs = 0, limits?: string): Part<T> => ({
  state: 'found',
  value,
  source,
  tookMs,
  ...(limits !== undefined && { limits }),
})
export const absent = <T>(source: string, tookMs = 0): Part<T> => ({ state: 'absent', source, tookMs })
export const unknownPart = <T>(reason: string, source: string, tookMs = 0): Part<T> => ({
  state: 'unknown',
  reason,
  source,
  tookMs,
})

/** The value of a part that was found. */
export const valueOf = <T>(part: Part<T>): T | undefined => (part.state === 'found' ? part.value : undefined)

/** SHA-256, hexadecimal, of the evidence without the times that it took; independent of the order of properties. */
export function evidenceDigest(evidence: Evidence): string {
  return createHash('sha256').update(canonicalJson(evidence)).digest('hex')
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([key, member]) => key !== 'tookMs' && member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}
