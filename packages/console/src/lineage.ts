/** A graph of descent as an indented list. */
import type { ArtifactDetail } from './types.ts'

type Graph = ArtifactDetail['lineage']
type Node = Graph['nodes'][number]

export interface DescentLine {
  node: Node
  relation: string
  /** 0: next to the root. */
  depth: number
  /** Unique in the list. */
  path: string
}

/** Depth first; an artifact that is reached again is listed, but not what lies behind it. */
export function descent({ nodes, edges }: Graph, root: string, direction: 'ancestors' | 'descendants'): DescentLine[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const lines: DescentLine[] = []
  const seen = new Set([root])
  const visit = (id: string, depth: number, path: string) => {
    for (const { from, to, relation } of edges) {
      const [here, there] = direction === 'ancestors' ? [to, from] : [from, to]
      const node = here === id ? byId.get(there) : undefined
      if (node === undefined) continue
      const below = `${path}/${there}/${relation}`
      lines.push({ node, relation, depth, path: below })
      if (seen.has(there)) continue
      seen.add(there)
      visit(there, depth + 1, below)
    }
  }
  visit(root, 0, '')
  return lines
}
