/** What an artifact costs to keep: megabytes (10⁶ bytes), alone and with everything that it was made from. */
import { isSiltstoneError, unavailable } from 'siltstone/internal'
import type { Registry } from '../registry.ts'
import type { Viewer } from '../search/artifact-index.ts'
import type { Artifact } from '../store/artifact.ts'

export interface Cost {
  standalone_cost?: number
  total_cost: number
}

const MAX_NODES = 1_000

/** @throws SiltstoneError `unavailable` (size-unknown) */
export async function costOf(
  registry: Registry,
  artifact: Artifact,
  viewer: Viewer,
  withDependencies: boolean,
): Promise<Record<string, Cost>> {
  const known = new Map<string, { sizeBytes: number; needs: string[] }>()
  await collect(registry, artifact, viewer, withDependencies, known)
  const own = known.get(artifact.id)?.sizeBytes ?? 0
  if (!withDependencies) return { [artifact.id]: { total_cost: megabytes(own) } }
  const costs = [...known].map(([id, { sizeBytes }]): [string, Cost] => {
    const total = [...closure(id, known)].reduce((sum, each) => sum + (known.get(each)?.sizeBytes ?? 0), 0)
    return [id, { standalone_cost: megabytes(sizeBytes), total_cost: megabytes(total) }]
  })
  return Object.fromEntries(costs)
}

async function collect(
  registry: Registry,
  artifact: Artifact,
  viewer: Viewer,
  withDependencies: boolean,
  known: Map<string, { sizeBytes: number; needs: string[] }>,
): Promise<void> {
  if (known.has(artifact.id) || known.size >= MAX_NODES) return
  const needs: string[] = []
  known.set(artifact.id, { sizeBytes: await sizeOf(registry, artifact), needs })
  if (!withDependencies) return
  const { facts } = await registry.artifacts.get(artifact.id)
  for (const link of facts?.links ?? []) {
    const parent = await registry.lineage.resolve(link, viewer)
    if (parent === undefined) continue
    needs.push(parent.id)
    await collect(registry, parent, viewer, true, known)
  }
}

/** With itself; each once, also in a circle. */
function closure(id: string, known: ReadonlyMap<string, { needs: readonly string[] }>): Set<string> {
  const seen = new Set<string>()
  const next = [id]
  for (let each = next.pop(); each !== undefined; each = next.pop()) {
    if (seen.has(each)) continue
    seen.add(each)
    next.push(...(known.get(each)?.needs ?? []))
  }
  return seen
}

async function sizeOf(registry: Registry, artifact: Artifact): Promise<number> {
  try {
    await registry.ratings.of(artifact.id)
  } catch (cause) {
    if (!isSiltstoneError(cause)) throw cause
    throw unavailable('size-unknown', `the size of ${artifact.id} is not known: ${cause.message}`, { cause })
  }
  const { facts } = await registry.artifacts.get(artifact.id)
  if (facts?.sizeBytes == null) {
    throw unavailable('size-unknown', `the source of ${artifact.id} does not say how large its files are`)
  }
  return facts.sizeBytes
}

const megabytes = (sizeBytes: number) => Math.round(sizeBytes / 1_000) / 1_000
