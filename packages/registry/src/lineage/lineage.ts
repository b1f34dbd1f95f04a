/**
 * Lineage: what an artifact was made from, and what was made from it. Edges are read from the artifacts' own metadata at the time of
 * the question, so a source that was registered after its descendants takes the place of the external node that stood for it.
 */
import { createHash } from 'node:crypto'
import type { ArtifactType } from '../evidence/evidence.ts'
import type { ArtifactIndex, Viewer } from '../search/artifact-index.ts'
import type { Sources } from '../sources/sources.ts'
import type { Artifact } from '../store/artifact.ts'
import type { Link } from '../store/artifact-document.ts'
import type { Artifacts } from '../store/artifacts.ts'

export interface LineageNode {
  /** `ext-` and 12 hexadecimal digits of its URL's SHA-256: it is not registered, or not visible to the asker. */
  id: string
  name: string
  type: ArtifactType
  /** Where it is named; `registry` for the artifact that was asked for. */
  source: string
  url: string | null
  netScore: number | null
  licence: string | null
}

export interface LineageEdge {
  /** What was made from. */
  from: string
  to: string
  relation: string
}

export interface LineageGraph {
  nodes: LineageNode[]
  edges: LineageEdge[]
  /** There is more than `MAX_NODES`. */
  isCut: boolean
}

export type Direction = 'ancestors' | 'descendants' | 'both'

const MAX_NODES = 1_000

export class Lineage {
  readonly #artifacts: Artifacts
  readonly #index: ArtifactIndex

  readonly #sources: Pick<Sources, 'hubUrl'>

  constructor(artifacts: Artifacts, index: ArtifactIndex, sources: Pick<Sources, 'hubUrl'>) {
    this.#artifacts = artifacts
    this.#index = index
    this.#sources = sources
  }

  /** The artifact of a link, if it is registered and the viewer may see it. */
  async resolve({ type, url }: Link, viewer: Viewer): Promise<Artifact | undefined> {
    const bySource = await this.#artifacts.findBySource(type, url)
    const found = bySource ?? (await this.#byRepository(type, url))
    return found !== undefined && isVisible(found, viewer) ? found : undefined
  }

  async graph(root: Artifact, viewer: Viewer, direction: Direction): Promise<LineageGraph> {
    const walk = new Walk(root)
    if (direction !== 'descendants') await this.#ancestors(walk, root, viewer)
    if (direction !== 'ancestors') await this.#descendants(walk, root, viewer)
    return walk.graph
  }

  async #ancestors(walk: Walk, root: Artifact, viewer: Viewer): Promise<void> {
    const next = [root]
    for (let child = next.shift(); child !== undefined && !walk.graph.isCut; child = next.shift()) {
      for (const link of child.facts?.links ?? []) {
        const parent = await this.resolve(link, viewer)
        const [id, isNew] = walk.add(parent === undefined ? external(link) : nodeOf(parent, link.source))
        walk.connect(id, child.id, link.relation)
        if (isNew && parent !== undefined) next.push(parent)
      }
    }
  }

  async #descendants(walk: Walk, root: Artifact, viewer: Viewer): Promise<void> {
    const seen = new Set<string>([root.id])
    const next = [root]
    for (let parent = next.shift(); parent !== undefined && !walk.graph.isCut; parent = next.shift()) {
      for (const url of this.#urlsOf(parent)) {
        for (const { id } of await this.#index.madeFrom(url, viewer, MAX_NODES)) {
          const child = await this.#artifacts.find(id)
          const link = child?.facts?.links?.find((each) => each.url.toLowerCase() === url.toLowerCase())
          if (child === undefined || link === undefined || !isVisible(child, viewer)) continue
          walk.add(nodeOf(child, link.source))
          walk.connect(parent.id, child.id, link.relation)
          if (!seen.has(child.id)) next.push(child)
          seen.add(child.id)
        }
      }
    }
  }

  /** Of `https://host/owner/name`, the repository `owner/name` of this registry. */
  #byRepository(type: ArtifactType, url: string): Promise<Artifact | undefined> | undefined {
    const repository = repositoryOf(url)
    return repository === undefined ? undefined : this.#artifacts.findByRepository(type, repository)
  }

  /** Addresses by which others name an artifact: a card names a repository as on the hub, wherever it is. */
  #urlsOf({ url, repository, type }: Artifact): string[] {
    if (url !== null) return [url]
    if (repository === null || type === 'code') return []
    return [this.#sources.hubUrl(type, repository)]
  }
}

class Walk {
  readonly graph: LineageGraph
  readonly #nodes = new Map<string, LineageNode>()
  readonly #edges = new Set<string>()

  constructor(root: Artifact) {
    const node = nodeOf(root, 'registry')
    this.#nodes.set(root.id, node)
    this.graph = { nodes: [node], edges: [], isCut: false }
  }

  /** @returns the node's id, and whether it was unknown */
  add(node: LineageNode): [string, boolean] {
    if (this.#nodes.has(node.id)) return [node.id, false]
    if (this.#nodes.size >= MAX_NODES) {
      this.graph.isCut = true
      return [node.id, false]
    }
    this.#nodes.set(node.id, node)
    this.graph.nodes.push(node)
    return [node.id, true]
  }

  connect(from: string, to: string, relation: string): void {
    const key = `${from} ${to} ${relation}`
    if (this.#edges.has(key) || !this.#nodes.has(from) || !this.#nodes.has(to)) return
    this.#edges.add(key)
    this.graph.edges.push({ from, to, relation })
  }
}

export const isVisible = ({ isPrivate, createdBy }: Artifact, { name, isAdmin }: Viewer): boolean =>
  !isPrivate || isAdmin || createdBy === name

function repositoryOf(url: string): string | undefined {
  const path = URL.parse(url)
    ?.pathname.replace(/^\/datasets(?=\/)/, '')
    .slice(1)
  return path !== undefined && /^\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/.test(path) ? path : undefined
}

function nodeOf({ id, name, type, url, facts }: Artifact, source: string): LineageNode {
  return { id, name, type, source, url, netScore: facts?.netScore ?? null, licence: facts?.licence ?? null }
}

function external({ url, type, source }: Link): LineageNode {
  const id = `ext-${createHash('sha256').update(url).digest('hex').slice(0, 12)}`
  const name = url.split('/').at(-1) ?? url
  return { id, name, type, source, url, netScore: null, licence: null }
}
