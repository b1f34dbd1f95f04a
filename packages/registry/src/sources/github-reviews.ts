/**
 * How the latest commits of a GitHub repository came in. With a token, GraphQL answers 100 commits with their pull requests and
 * approvals in one call. Without one, REST needs three calls for each commit, so only a sample of the latest is read.
 */
import * as v from 'valibot'
import { unavailable } from 'siltstone/internal'
import type { ReviewedCommit } from '../evidence/evidence.ts'
import { parseJson } from './hub-source.ts'
import type { Listed } from './source.ts'
import type { SourceHttp } from './source-http.ts'

const MAX_COMMITS = 500
const SAMPLE = 8

export function githubReviews(
  http: SourceHttp,
  path: string,
  fullName: string,
  commit: string,
): Promise<Listed<ReviewedCommit>> {
  return http.hasToken ? byGraphql(http, fullName, commit) : bySample(http, path, commit)
}

const login = v.nullish(v.object({ login: v.string() }))
const nodes = <S extends v.GenericSchema>(schema: S) => v.object({ nodes: v.array(schema) })
const pageSchema = v.object({
  data: v.nullish(
    v.object({
      repository: v.nullish(
        v.object({
          object: v.object({
            history: v.object({
              pageInfo: v.object({ hasNextPage: v.boolean(), endCursor: v.nullish(v.string()) }),
              nodes: v.array(
                v.object({
                  oid: v.string(),
                  additions: v.number(),
                  author: v.nullish(v.object({ name: v.nullish(v.string()), user: login })),
                  associatedPullRequests: nodes(
                    v.object({
                      number: v.number(),
                      merged: v.boolean(),
                      author: login,
                      reviews: nodes(v.object({ author: login })),
                    }),
                  ),
                }),
              ),
            }),
          }),
        }),
      ),
    }),
  ),
  errors: v.optional(v.array(v.object({ message: v.string() }))),
})

const QUERY = `query($owner: String!, $name: String!, $commit: GitObjectID!, $after: String) {
  repository(owner: $owner, name: $name) { object(oid: $commit) { ... on Commit {
    history(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes {
      oid additions author { name user { login } }
      associatedPullRequests(first: 5) { nodes { number merged author { login }
        reviews(states: APPROVED, first: 20) { nodes { author { login } } } } }
    } } } } }
}`

async function byGraphql(http: SourceHttp, fullName: string, commit: string): Promise<Listed<ReviewedCommit>> {
  const [owner, name] = fullName.split('/')
  const items: ReviewedCommit[] = []
  let after: string | null = null
  while (items.length < MAX_COMMITS) {
    const { body } = await http.post('/graphql', { query: QUERY, variables: { owner, name, commit, after } })
    const answer = parseJson(pageSchema, body, `${http.baseUrl}/graphql`)
    const history = answer.data?.repository?.object.history
    if (history === undefined) {
      throw unavailable(
        'source-answer',
        `GitHub's GraphQL refused: ${answer.errors?.map(({ message }) => message).join('; ') ?? 'no data'}`,
      )
    }
    for (const node of history.nodes) {
      const pull = node.associatedPullRequests.nodes.find(({ merged }) => merged)
      items.push({
        id: node.oid,
        author: { login: node.author?.user?.login ?? null, name: node.author?.name ?? null },
        addedLines: node.additions,
        pullRequest:
          pull === undefined
            ? null
            : {
                number: pull.number,
                author: pull.author?.login ?? null,
                approvedBy: pull.reviews.nodes.flatMap(({ author }) => author?.login ?? []),
              },
      })
    }
    if (!history.pageInfo.hasNextPage) return { items }
    after = history.pageInfo.endCursor ?? null
  }
  // The contract's window: later commits are all that is asked for.
  return { items: items.slice(0, MAX_COMMITS) }
}

const shaSchema = v.array(v.object({ sha: v.string() }))
const commitSchema = v.object({
  sha: v.string(),
  author: login,
  commit: v.object({ author: v.nullish(v.object({ name: v.nullish(v.string()) })) }),
  stats: v.object({ additions: v.number() }),
  parents: v.array(v.object({ sha: v.string() })),
})
const pullsSchema = v.array(v.object({ number: v.number(), merged_at: v.nullish(v.string()), user: login }))
const reviewsSchema = v.array(v.object({ user: login, state: v.string() }))

async function bySample(http: SourceHttp, path: string, commit: string): Promise<Listed<ReviewedCommit>> {
  const read = async <S extends v.GenericSchema>(schema: S, from: string): Promise<v.InferOutput<S> | undefined> => {
    const answer = await http.get(`${path}${from}`)
    return answer === undefined ? undefined : parseJson(schema, answer.body, `${path}${from}`)
  }
  const list = (await read(shaSchema, `/commits?sha=${commit}&per_page=100`)) ?? []
  const items: ReviewedCommit[] = []
  for (const { sha } of list.slice(0, SAMPLE)) {
    const detail = await read(commitSchema, `/commits/${sha}`)
    // The lines of a merge are those of the commits that it brings, which are in the list themselves.
    if (detail === undefined || detail.parents.length > 1) continue
    const pull = (await read(pullsSchema, `/commits/${sha}/pulls`))?.find(({ merged_at: at }) => at != null)
    const reviews = pull === undefined ? [] : ((await read(reviewsSchema, `/pulls/${pull.number}/reviews`)) ?? [])
    const approvedBy = reviews.flatMap(({ user, state }) => (state === 'APPROVED' && user != null ? [user.login] : []))
    items.push({
      id: sha,
      author: { login: detail.author?.login ?? null, name: detail.commit.author?.name ?? null },
      addedLines: detail.stats.additions,
      pullRequest: pull === undefined ? null : { number: pull.number, author: pull.user?.login ?? null, approvedBy },
    })
  }
  const isWhole = list.length <= SAMPLE
  return { items, ...(!isWhole && { limits: `the latest ${SAMPLE} commits, as there is no token` }) }
}
