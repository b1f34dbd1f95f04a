/** What has to hold of a registry after processes were killed. */
import type { Registry } from '@siltstone/registry'
import type { Said } from './said.ts'

/** What was acknowledged in all rounds. */
export class Acknowledged {
  /** By artifact: the last source that was acknowledged; undefined: a change of it is not known to have ended. */
  readonly sources = new Map<string, string | undefined>()
  /** Artifacts of which a deletion has begun. */
  readonly deleting = new Set<string>()
  readonly deleted = new Set<string>()
  readonly commits = new Map<string, string[]>()

  add(said: Said): void {
    switch (said.kind) {
      case 'registered':
      case 'moved':
        this.sources.set(said.id, said.source)
        break
      case 'moving':
        this.sources.set(said.id, undefined)
        break
      case 'deleting':
        this.deleting.add(said.id)
        break
      case 'deleted':
        this.deleted.add(said.id)
        break
      case 'committed':
        this.commits.set(said.id, [...(this.commits.get(said.id) ?? []), said.oid])
        break
      case 'touching':
      case 'call':
      case 'refused':
        break
    }
  }
}

const VIEWER = { name: 'root', isAdmin: true }

/**
 * @param of the artifacts to look at. Default: all, and what concerns all together
 * @returns what is wrong; empty: nothing
 */
export async function faultsOf(registry: Registry, known: Acknowledged, of?: ReadonlySet<string>): Promise<string[]> {
  const faults: string[] = []
  await registry.artifacts.finishIntents(0)
  const { findings } = await registry.verify(of)
  for (const { key, text } of findings) faults.push(`verify: ${key}: ${text}`)
  if (of === undefined) {
    for (const { artifact, text } of (await registry.reconciler.reconcile()).findings)
      faults.push(`${artifact}: ${text}`)
  }
  const listed = new Map<string, string | null>()
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await registry.index.list([{}], VIEWER, 100, after)
    for (const { id, url } of page.artifacts) listed.set(id, url)
    after = page.next ?? undefined
  }
  const visible = new Map<string, string>()
  // Also those that nobody has acknowledged: visible ones are listed, and whole.
  const all = new Set([...listed.keys(), ...known.sources.keys(), ...(await storedIds(registry))])
  for (const id of of ?? all) {
    const artifact = await registry.artifacts.find(id)
    if ((artifact === undefined) === listed.has(id)) faults.push(`${id} is ${listed.has(id) ? '' : 'not '}listed`)
    if (artifact === undefined) {
      if (known.sources.has(id) && !known.deleting.has(id)) faults.push(`${id} was acknowledged and is gone`)
      continue
    }
    const url = artifact.url ?? ''
    if (known.deleted.has(id)) faults.push(`${id} was deleted and is there`)
    if (listed.get(id) !== url) faults.push(`${id} has the source ${url} and is listed with ${listed.get(id)}`)
    if (visible.has(url)) faults.push(`${id} and ${visible.get(url)} have the source ${url}`)
    visible.set(url, id)
    const source = known.sources.get(id)
    if (source !== undefined && source !== url) faults.push(`${id} has the source ${url} instead of ${source}`)
    faults.push(...(await faultsOfOne(registry, id, known.commits.get(id) ?? [])))
  }
  if (of !== undefined) return faults
  const used = await registry.usageOf('ada')
  if (used.artifacts !== listed.size) faults.push(`${used.artifacts} artifacts are counted, ${listed.size} are listed`)
  return faults
}

/** Ids of all artifacts in the bucket, in any state. */
export async function storedIds({ store }: Registry): Promise<string[]> {
  const ids: string[] = []
  for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
    const page = await store.list('artifacts/', { delimiter: '/', ...(continuation !== undefined && { continuation }) })
    continuation = page.continuation
    ids.push(...page.prefixes.map((prefix) => prefix.slice('artifacts/'.length, -1)))
  }
  return ids
}

async function faultsOfOne(registry: Registry, id: string, commits: readonly string[]): Promise<string[]> {
  const faults: string[] = []
  const actions = (await registry.artifacts.audit.of(id)).filter(({ action }) => action === 'CREATE')
  if (actions.length !== 1) faults.push(`${id} has ${actions.length} entries of its creation`)
  if (commits.length === 0) return faults
  const head = await registry.commits.resolve(id, 'HEAD')
  const history = new Set((await registry.commits.history(id, head.oid, 10_000)).map(({ oid }) => oid))
  for (const oid of commits) if (!history.has(oid)) faults.push(`${id} has lost the commit ${oid}`)
  return faults
}
