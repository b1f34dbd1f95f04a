/** Clients that compete for names: creations, deletions and renames of collections, and databases with collections in them. */
import { isSiltstoneError } from 'siltstone/internal'
import { Crashed } from './incarnation.ts'
import type { Server } from './server.ts'
import { DATABASE, newCollection, TENANT, type World } from './world.ts'

const contended = (chance: World['chance']) => `contended-${chance.between(1, 2)}`

/** Creates and deletes collections under two names, in competition with other rivals. */
export async function runRival(world: World, name: string, servers: readonly Server[]): Promise<void> {
  const chance = world.chance.split(name)
  for (let i = 0; i < 8 && !world.violation; i++) {
    await world.scheduler.sleep(chance.between(0, 300))
    const wanted = contended(chance)
    const getOrCreate = chance.one(0.5)
    const deletes = chance.one(0.3)
    const { damaged } = world.network
    try {
      await chance.pick(servers).use(async ({ catalog }) => {
        if (deletes) await catalog.deleteCollection(TENANT, DATABASE, wanted)
        else await catalog.createCollection({ ...newCollection, name: wanted, getOrCreate })
      })
    } catch (error) {
      if (isSiltstoneError(error, 'conflict')) world.marks.hit('contended name refused')
      if (!(error instanceof Crashed)) world.judge(error, `a change of ${wanted}`, damaged, true)
    }
  }
}

/** Renames a collection of its own, in competition with rivals. Only this client renames it, so it knows the name. */
export async function runRenamer(world: World, name: string, servers: readonly Server[]): Promise<void> {
  const chance = world.chance.split(name)
  let id: string | undefined
  /** Undefined after a rename of unknown outcome. */
  let known: string | undefined
  for (let i = 0; i < 12 && !world.violation; i++) {
    await world.scheduler.sleep(chance.between(0, 300))
    const newName = chance.one(0.7) ? contended(chance) : `renamed-${world.next()}`
    const server = chance.pick(servers)
    const { damaged } = world.network
    try {
      if (id === undefined) {
        const { info } = await server.use(({ catalog }) =>
          catalog.createCollection({ ...newCollection, name: `renamed-${world.next()}` }),
        )
        id = info.id
        known = info.name
        continue
      }
      const was = known
      known = undefined
      known = await rename(server, id, newName).catch((error: unknown) => {
        if (!isSiltstoneError(error, 'conflict') || error.code !== 'collection-exists') throw error
        world.marks.hit('rename refused')
        return was
      })
      if (known === newName) world.marks.hit('collection renamed')
      await checkName(world, server, id, known)
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) id = undefined
      if (!(error instanceof Crashed)) world.judge(error, `a rename to ${newName}`, damaged, true)
    }
  }
}

async function rename(server: Server, id: string, newName: string): Promise<string> {
  await server.use(({ catalog }) => catalog.changeCollection(TENANT, DATABASE, id, { newName }))
  return newName
}

async function checkName(world: World, server: Server, id: string, known: string | undefined): Promise<void> {
  if (known === undefined) return
  const { name } = await server.use(({ catalog }) => catalog.getCollectionById(TENANT, DATABASE, id))
  if (name !== known) world.fail('renames', `the collection ${id} is called ${name}, not ${known}`)
}

/** Creates and deletes databases under two names, and collections in them. */
export async function runKeeper(world: World, name: string, servers: readonly Server[]): Promise<void> {
  const chance = world.chance.split(name)
  for (let i = 0; i < 12 && !world.violation; i++) {
    await world.scheduler.sleep(chance.between(0, 300))
    const database = `database-${chance.between(1, 2)}`
    const what = chance.weighted({ create: 3, fill: 5, delete: 2 })
    const { damaged } = world.network
    try {
      await chance.pick(servers).use(async ({ catalog }) => {
        if (what === 'create') await catalog.createDatabase(TENANT, database)
        else if (what === 'fill') {
          const request = { ...newCollection, database, name: `kept-${chance.between(1, 4)}`, getOrCreate: true }
          const { info } = await catalog.createCollection(request)
          world.kept.push({ id: info.id, database })
        } else await remove(world, database, () => catalog.deleteDatabase(TENANT, database))
      })
    } catch (error) {
      if (!(error instanceof Crashed)) world.judge(error, `${what} of ${database}`, damaged, true)
    }
  }
}

/** Collections that were acknowledged before the deletion of their database began are deleted with it. */
async function remove(world: World, database: string, work: () => Promise<void>): Promise<void> {
  const before = world.kept.filter((one) => one.database === database)
  await work()
  world.marks.hit('database deleted')
  for (const { id } of before)
    if (world.truth.isLive(id)) world.fail('databases', `${database} was deleted, but its collection ${id} is live`)
}
