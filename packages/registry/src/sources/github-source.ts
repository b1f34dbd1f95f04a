/** A repository on GitHub, through its REST API, and through GraphQL for reviews if there is a token. */
import { isSiltstoneError, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import type { Commit } from '../evidence/evidence.ts'
import { githubReviews } from './github-reviews.ts'
import { parseJson } from './hub-source.ts'
import { type Description, type Listed, MAX_FILES, type Source } from './source.ts'
import type { SourceHttp } from './source-http.ts'

const repositorySchema = v.object({
  full_name: v.string(),
  default_branch: v.string(),
  license: v.fallback(v.nullish(v.object({ spdx_id: v.nullish(v.string()) })), null),
})
const branchSchema = v.object({ sha: v.string(), commit: v.object({ tree: v.object({ sha: v.string() }) }) })
const treeSchema = v.object({
  truncated: v.optional(v.boolean(), false),
  tree: v.array(v.object({ path: v.string(), type: v.string(), size: v.optional(v.number()) })),
})
const person = v.fallback(v.nullish(v.object({ login: v.string() })), null)
const commitsSchema = v.array(
  v.object({
    sha: v.string(),
    author: person,
    commit: v.object({
      author: v.nullish(v.object({ name: v.nullish(v.string()), email: v.nullish(v.string()), date: v.string() })),
    }),
  }),
)

/** Of 100 commits each. Without a token, GitHub answers 60 calls an hour. */
const PAGES = { withToken: 10, without: 3 }

export class GithubSource implements Source {
  readonly label: string
  readonly #http: SourceHttp
  readonly #path: string
  readonly #revision: string | null
  #opened: Promise<Opened> | undefined

  constructor(http: SourceHttp, repository: string, revision: string | null) {
    this.#http = http
    this.#path = `/repos/${repository.split('/').map(encodeURIComponent).join('/')}`
    this.#revision = revision
    this.label = `${http.baseUrl}${this.#path}`
  }

  async describe(): Promise<Description> {
    const { fullName, commit, tree, licence } = await this.#open()
    const answer = await this.#http.get(`${this.#path}/git/trees/${tree}?recursive=1`)
    if (answer === undefined) throw notFound('source-not-found', `${this.label} has no tree ${tree}`)
    const listed = parseJson(treeSchema, answer.body, this.label)
    const files = listed.tree.filter(({ type }) => type === 'blob').slice(0, MAX_FILES)
    return {
      repository: fullName,
      revision: commit,
      files: files.map(({ path, size }) => ({ path, sizeBytes: size ?? null })),
      ...(listed.truncated && { filesLimits: `the first ${files.length} files` }),
      ...(licence !== null && { licence }),
    }
  }

  async read(path: string): Promise<string | undefined> {
    const { commit } = await this.#open()
    const file = path.split('/').map(encodeURIComponent).join('/')
    return (await this.#http.get(`${this.#path}/contents/${file}?ref=${commit}`, 'application/vnd.github.raw+json'))
      ?.body
  }

  async history(): Promise<Listed<Commit>> {
    const { commit } = await this.#open()
    const items: Commit[] = []
    let path: string | undefined = `${this.#path}/commits?sha=${commit}&per_page=100`
    const pages = this.#http.hasToken ? PAGES.withToken : PAGES.without
    for (let page = 0; path !== undefined && page < pages; page++) {
      const answer = await this.#http.get(path)
      if (answer === undefined) break
      for (const { sha, author, commit: inner } of parseJson(commitsSchema, answer.body, this.label)) {
        if (inner.author == null) continue
        const { name = null, email = null, date } = inner.author
        items.push({ id: sha, at: date, author: { name, email, login: author?.login ?? null } })
      }
      path = answer.next
    }
    return { items, ...(path !== undefined && { limits: `the last ${items.length} commits` }) }
  }

  async reviews() {
    const { commit, fullName } = await this.#open()
    return githubReviews(this.#http, this.#path, fullName, commit)
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#ask()
    return this.#opened
  }

  async #ask(): Promise<Opened> {
    const missing = (what: string) => notFound('source-not-found', `${this.label} ${what}`)
    const answer = await this.#http.get(this.#path)
    if (answer === undefined) throw missing('does not exist, or is private')
    const repository = parseJson(repositorySchema, answer.body, this.label)
    const revision = this.#revision ?? repository.default_branch
    const head = await this.#http
      .get(`${this.#path}/commits/${encodeURIComponent(revision)}`)
      .catch((error: unknown) => {
        // 409: an empty repository. 422: no such commit.
        if (isSiltstoneError(error) && /answered (?:409|422)/.test(error.message)) return undefined
        throw error
      })
    if (head === undefined) throw missing(`has no revision ${revision}`)
    const branch = parseJson(branchSchema, head.body, this.label)
    const spdx = repository.license?.spdx_id
    return {
      fullName: repository.full_name,
      commit: branch.sha,
      tree: branch.commit.tree.sha,
      licence: spdx == null || spdx === 'NOASSERTION' ? null : spdx,
    }
  }
}

interface Opened {
  fullName: string
  commit: string
  tree: string
  licence: string | null
}
