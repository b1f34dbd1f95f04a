/** A repository of a model hub with Hugging Face's API. */
import { notFound, unavailable } from 'siltstone/internal'
import * as v from 'valibot'
import type { Commit, JsonObject } from '../evidence/evidence.ts'
import { type Description, type Listed, MAX_FILES, type Source } from './source.ts'
import type { SourceHttp } from './source-http.ts'

/** Fields of other shapes are read as missing: hubs add and change fields. */
const optional = <S extends v.GenericSchema>(schema: S) => v.fallback(v.nullish(schema), null)

const fileSchema = v.object({
  rfilename: v.string(),
  size: optional(v.number()),
  lfs: optional(v.object({ sha256: optional(v.string()), size: optional(v.number()) })),
})
const infoSchema = v.object({
  id: optional(v.string()),
  sha: optional(v.string()),
  pipeline_tag: optional(v.string()),
  library_name: optional(v.string()),
  tags: optional(v.array(v.string())),
  downloads: optional(v.number()),
  cardData: optional(v.record(v.string(), v.unknown())),
  siblings: optional(v.array(fileSchema)),
  safetensors: optional(v.object({ parameters: v.record(v.string(), v.number()) })),
})
const commitsSchema = v.array(
  v.object({ id: v.string(), date: v.string(), authors: optional(v.array(v.object({ user: v.string() }))) }),
)

const MAX_COMMIT_PAGES = 4

export class HubSource implements Source {
  readonly label: string
  readonly #http: SourceHttp
  readonly #kind: 'models' | 'datasets'
  readonly #repository: string
  readonly #revision: string
  #described: Promise<Description> | undefined

  constructor(http: SourceHttp, kind: 'models' | 'datasets', repository: string, revision: string | null) {
    this.#http = http
    this.#kind = kind
    this.#repository = repository.split('/').map(encodeURIComponent).join('/')
    this.#revision = revision ?? 'main'
    this.label = `${http.baseUrl}/api/${kind}/${this.#repository}`
  }

  describe(): Promise<Description> {
    this.#described ??= this.#describe()
    return this.#described
  }

  async #describe(): Promise<Description> {
    const revision = encodeURIComponent(this.#revision)
    const answer = await this.#http.get(`/api/${this.#kind}/${this.#repository}/revision/${revision}?blobs=true`)
    if (answer === undefined)
      throw notFound('source-not-found', `${this.label} does not exist, or has no revision ${this.#revision}`)
    const info = parseJson(infoSchema, answer.body, this.label)
    const siblings = info.siblings ?? []
    return {
      ...(info.id != null && { repository: info.id }),
      revision: info.sha ?? null,
      files: siblings.slice(0, MAX_FILES).map(({ rfilename, size, lfs }) => ({
        path: rfilename,
        sizeBytes: size ?? lfs?.size ?? null,
        ...(lfs?.sha256 != null && { sha256: lfs.sha256 }),
      })),
      ...(siblings.length > MAX_FILES && { filesLimits: `${MAX_FILES} of ${siblings.length} files` }),
      ...(info.cardData !== null && info.cardData !== undefined && { card: info.cardData as JsonObject }),
      facts: {
        pipelineTag: info.pipeline_tag ?? null,
        libraryName: info.library_name ?? null,
        tags: info.tags ?? [],
        downloads: info.downloads ?? null,
        parameters: info.safetensors?.parameters ?? null,
      },
    }
  }

  async read(path: string): Promise<string | undefined> {
    const { revision } = await this.describe()
    const prefix = this.#kind === 'datasets' ? '/datasets' : ''
    const at = encodeURIComponent(revision ?? this.#revision)
    const file = path.split('/').map(encodeURIComponent).join('/')
    return (await this.#http.get(`${prefix}/${this.#repository}/resolve/${at}/${file}`, '*/*'))?.body
  }

  async history(): Promise<Listed<Commit>> {
    const { revision } = await this.describe()
    const items: Commit[] = []
    let path: string | undefined =
      `/api/${this.#kind}/${this.#repository}/commits/${encodeURIComponent(revision ?? this.#revision)}`
    for (let page = 0; path !== undefined && page < MAX_COMMIT_PAGES; page++) {
      const answer = await this.#http.get(path)
      if (answer === undefined) break
      for (const { id, date, authors } of parseJson(commitsSchema, answer.body, path)) {
        items.push({ id, at: date, author: { name: null, email: null, login: authors?.[0]?.user ?? null } })
      }
      path = answer.next
    }
    return { items, ...(path !== undefined && { limits: `the last ${items.length} commits` }) }
  }

  /** The hub's discussions have no approvals. */
  reviews(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}

/** @throws SiltstoneError `unavailable` (source-answer) */
export function parseJson<S extends v.GenericSchema>(schema: S, text: string, what: string): v.InferOutput<S> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw unavailable('source-answer', `${what} answered something that is not JSON`, { cause: error })
  }
  const result = v.safeParse(schema, json)
  if (result.success) return result.output
  const [issue] = result.issues
  throw unavailable(
    'source-answer',
    `${what} answered JSON of another shape: ${v.getDotPath(issue) ?? ''} ${issue.message}`,
  )
}
