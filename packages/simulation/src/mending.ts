/**
 * Damage at rest: one object of the catalog after another is changed or lost, `verify` must name it, and `repair` must
 * make it again, also when its process crashes on the way, while other clients change the catalog. No collection may be
 * lost, and none may change its name.
 */
import {
  type CatalogDocument,
  collectionType,
  databaseType,
  decodeDocument,
  type DocumentType,
  isSiltstoneError,
  nameClaimType,
  repairCatalog,
  storeKey,
  tenantType,
  verifyCatalog,
} from 'siltstone/internal'
import type { Chance } from './chance.ts'
import { Crashed } from './incarnation.ts'
import { DATABASE, newCollection, TENANT, type World } from './world.ts'

/** By id, the name of each live collection with its database, and the name that a rename was giving it when it broke off. */
type Live = Map<string, string[]>

export async function checkMending(world: World): Promise<void> {
  const chance = world.chance.split('damages')
  for (let i = 0; i < world.plan.damages && !world.violation; i++) await checkOne(world, chance)
}

async function checkOne(world: World, chance: Chance): Promise<void> {
  const { bucket, marks, scheduler, trace } = world
  if (!(await isWhole(world, 'before any damage'))) return
  const before = liveIn(world)
  const key = chance.pick([...bucket.keys.filter((one) => one.startsWith('catalog/')), storeKey])
  const isNeeded = needs(world, key)
  const body = bucket.peek(key)?.body ?? new Uint8Array()
  const how = chance.pick(['lost', 'cut', 'changed'] as const)
  trace.add(scheduler.nowMs, 'damage', how, key, '')
  marks.hit(`damaged at rest: ${kindOf(key)}`)
  bucket.damage(
    key,
    how === 'lost' ? undefined : how === 'cut' ? body.slice(0, body.length >> 1) : changed(chance, body),
  )
  if ((isNeeded || how !== 'lost') && !(await damagedKeys(world)).includes(key)) {
    world.fail('catalog damage', `${key} is ${how}, and verify does not name it`)
    return
  }
  const rival = chance.one(0.5) ? compete(world, chance) : Promise.resolve()
  await repair(world, chance)
  await rival
  if (!isNeeded && (await damagedKeys(world)).includes(key)) {
    // What no other object names is brought back from a backup.
    marks.hit('damage that nothing else knows')
    bucket.damage(key, body)
  }
  if (!(await isWhole(world, `after ${key} was ${how} and repaired`))) return
  const after = liveIn(world)
  for (const [id, names] of before)
    if (!names.includes(after.get(id)?.[0] ?? ''))
      world.fail(
        'catalog damage',
        `${key} was ${how}: ${id} was ${names.join(' or ')}, and is ${after.get(id)?.[0] ?? 'gone'}`,
      )
  const others = [...after.keys()].filter((id) => !before.has(id) && world.isDeleted(id))
  if (others.length > 0)
    world.fail('no resurrection', `${key} was ${how} and repaired, and ${others.join(' ')} came back`)
  await checkFound(world, after)
}

async function damagedKeys(world: World): Promise<string[]> {
  return (await call(world, (env) => verifyCatalog(env))).problems.map(({ key }) => key)
}

/** Runs it to its end, in several processes when one crashes. */
async function repair(world: World, chance: Chance): Promise<void> {
  for (let crashes = chance.between(0, 2); ; crashes--) {
    const process = world.boot('mender')
    if (crashes > 0) process.at(world.scheduler.nowMs + chance.between(1, 40), () => process.crash())
    try {
      await process.call(() => repairCatalog(world.environment(process), { dryRun: false }))
      world.marks.hit('catalog repaired')
      return
    } catch (error) {
      if (!(error instanceof Crashed)) throw error
      world.marks.hit('repair of the catalog crashed')
    } finally {
      process.crash()
    }
  }
}

/** Another client creates and renames a collection at the same time. What it needs may be what is damaged. */
async function compete(world: World, chance: Chance): Promise<void> {
  const process = world.boot('competitor')
  try {
    await process.call(async () => {
      const { catalog } = await world.openEngine(process)
      const name = `late-${world.next()}`
      const { info } = await catalog.createCollection({ ...newCollection, name })
      await world.scheduler.sleep(chance.between(0, 20))
      await catalog.changeCollection(TENANT, DATABASE, info.id, { newName: `${name}-renamed` })
    })
  } catch (error) {
    if (!isSiltstoneError(error) || error.kind === 'invalid')
      world.fail('catalog damage', `a competitor: ${String(error)}`)
  } finally {
    process.crash()
  }
}

async function isWhole(world: World, when: string): Promise<boolean> {
  const { problems } = await call(world, (env) => verifyCatalog(env))
  const [first] = problems
  if (first) world.fail('catalog damage', `${when}, verify names ${first.key}: ${first.problem}`)
  return first === undefined
}

/** Each collection is found by its name. */
async function checkFound(world: World, live: Live): Promise<void> {
  await call(world, async (_, process) => {
    const { catalog } = await world.openEngine(process)
    for (const [id, [full = '']] of live) {
      const [tenant, database, name] = JSON.parse(full) as [string, string, string]
      const found = await catalog.getCollection(tenant, database, name)
      if (found.id !== id) world.fail('catalog damage', `${full} leads to ${found.id}, not ${id}`)
    }
  })
}

async function call<T>(
  world: World,
  work: (env: ReturnType<World['environment']>, process: ReturnType<World['boot']>) => Promise<T>,
): Promise<T> {
  const process = world.boot('examiner')
  try {
    return await process.call(() => work(world.environment(process), process))
  } finally {
    process.crash()
  }
}

const ID_OBJECTS = /^catalog\/[^/]+\/id\//

function* documents<T extends CatalogDocument>(world: World, keys: RegExp, type: DocumentType<T>) {
  for (const key of world.bucket.keys)
    if (keys.test(key)) yield decodeDocument(type, world.bucket.peek(key)?.body ?? new Uint8Array(), key)
}

const byLastWrite = (a: CatalogDocument, b: CatalogDocument) =>
  (a.writes.at(-1) ?? '') < (b.writes.at(-1) ?? '') ? -1 : 1

function liveIn(world: World): Live {
  const live: Live = new Map()
  const claims = [...documents(world, /^catalog\/[^/]+\/name\//, nameClaimType)]
  for (const { id, state, tenant, database, name } of documents(world, ID_OBJECTS, collectionType)) {
    const wanted = claims.filter(({ collectionId }) => collectionId === id).toSorted(byLastWrite)
    // A rename that broke off after it acquired the claim may or may not have happened.
    const names = [
      name,
      ...wanted.slice(wanted.findIndex((claim) => claim.name === name) + 1).map((claim) => claim.name),
    ]
    if (state === 'live')
      live.set(
        id,
        names.map((each) => JSON.stringify([tenant, database, each])),
      )
  }
  return live
}

function kindOf(key: string): string {
  if (key === storeKey) return 'descriptor'
  return key.split('/')[1] === 'tenant' ? 'tenant' : (key.split('/')[2] ?? 'other').replace('.json', '')
}

/** Whether a live collection cannot be found without the object. */
function needs(world: World, key: string): boolean {
  if (key === storeKey) return true
  const body = world.bucket.peek(key)?.body
  if (body === undefined) return false
  const live = [...documents(world, ID_OBJECTS, collectionType)].filter(({ state }) => state === 'live')
  for (const type of [collectionType, nameClaimType, databaseType, tenantType] as const)
    try {
      const document = decodeDocument(type as typeof collectionType, body, key) as unknown as Record<string, unknown>
      if (type === collectionType) return document['state'] === 'live'
      if (type === nameClaimType)
        return live.some(({ id, name }) => id === document['collectionId'] && name === document['name'])
      if (type === databaseType)
        return live.some(({ tenant, database }) => tenant === document['tenant'] && database === document['name'])
      return live.some(({ tenant }) => tenant === document['name'] && tenant !== TENANT)
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
    }
  return false
}

function changed(chance: Chance, body: Uint8Array): Uint8Array {
  const copy = body.slice()
  const at = chance.between(0, body.length - 1)
  copy[at] = (copy[at] as number) ^ (1 << chance.between(0, 7))
  return copy
}
