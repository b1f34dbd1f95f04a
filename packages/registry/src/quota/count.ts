/** What an account uses, from the index and from the versions of its files. */
import type { ArtifactIndex } from '../search/artifact-index.ts'
import type { Commits } from '../store/commits.ts'
import { plus, type Usage } from './usage.ts'

const PAGE = 500
const TOGETHER = 16

export async function countUsage(index: ArtifactIndex, commits: Commits, user: string): Promise<Usage> {
  let sum: Usage = { artifacts: 0, bytes: 0 }
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const { artifacts, next } = await index.ownedBy(user, PAGE, after)
    const hosted = artifacts.filter(({ repository }) => repository !== null)
    for (let at = 0; at < hosted.length; at += TOGETHER) {
      const some = hosted.slice(at, at + TOGETHER)
      const bytes = await Promise.all(some.map(({ id }) => bytesOf(commits, id)))
      sum = plus(sum, { artifacts: 0, bytes: bytes.reduce((all, each) => all + each, 0) })
    }
    sum = plus(sum, { artifacts: artifacts.length, bytes: 0 })
    after = next ?? undefined
  }
  return sum
}

/** Of the contents that versions name, each once. */
async function bytesOf(commits: Commits, id: string): Promise<number> {
  const { branches, tags } = await commits.refs(id)
  const sizes = new Map<string, number>()
  for (const head of new Set([...Object.values(branches), ...Object.values(tags)])) {
    for (const { files } of await commits.history(id, head, Number.POSITIVE_INFINITY)) {
      for (const { sha256, sizeBytes } of Object.values(files)) sizes.set(sha256, sizeBytes)
    }
  }
  return [...sizes.values()].reduce((sum, each) => sum + each, 0)
}
