/** Reads of a client, at each read level, and the checks of their answers. */
import { type Collection, type GetRequest, type GetResponse, isSiltstoneError } from 'siltstone/internal'
import { idsWhere, linesOf, type ModelState } from './log-model.ts'
import { drawVector } from './draw-operations.ts'
import { type Before, before, checkVersion, expectOne, linesOfAnswer, sameLines, strongStates } from './reads.ts'
import { type Call, mayBeMissing } from './call.ts'
import type { Server } from './server.ts'
import { BOUNDED_MS } from './world.ts'

const include = { embeddings: true, documents: true, metadatas: true, uris: true }

function checkStrong(call: Call, from: Before, answer: GetResponse, what: string): void {
  const { world, memory, target } = call
  world.marks.hit(what)
  memory.seen.set(target.path, answer.version)
  if (!checkVersion(world, from, answer.version, from.end, what)) return
  const got = linesOfAnswer(answer)
  expectOne(
    world,
    'strong reads',
    strongStates(from, answer.version),
    (state) => sameLines(linesOf(state), got),
    () => `${what} of ${target.path} at version ${answer.version} gave ${got.join(' ')}`,
  )
}

async function getAll(call: Call, collection: Collection): Promise<void> {
  checkStrong(call, call.from, await collection.get({ include }), 'strong get')
}

async function getAtLeast(call: Call, collection: Collection): Promise<void> {
  const { world, target, memory, from } = call
  const atLeast = memory.versions.get(target.path) ?? 0
  const answer = await collection.get({ include, atLeast })
  if (answer.version < atLeast)
    world.fail('strong reads', `a read of at least ${atLeast} answered version ${answer.version}`)
  checkStrong(call, from, answer, 'get at least')
}

async function getWhere(call: Call, collection: Collection): Promise<void> {
  const { world, chance, from } = call
  const value = chance.between(0, 2)
  const filter: NonNullable<GetRequest['filter']> = { kind: 'compare', key: 'n', op: 'eq', value: BigInt(value) }
  const { ids, version } = await collection.get({ include: {}, filter })
  if (!checkVersion(world, from, version, from.end, 'filtered get')) return
  expectOne(
    world,
    'strong reads',
    strongStates(from, version),
    (state) => sameLines(idsWhere(state, 'n', value), ids),
    () => `get where n = ${value} at version ${version} gave ${ids.join(' ')}`,
  )
}

async function getIndex(call: Call, collection: Collection): Promise<void> {
  const { world, from, truth } = call
  const answer = await collection.get({ include, level: 'index' })
  world.marks.hit('index get')
  const { version } = answer
  if (version < from.watermark || version > truth.watermark)
    world.fail('index reads', `version ${version}; the watermark was ${from.watermark} and is ${truth.watermark}`)
  else
    expectOne(
      world,
      'index reads',
      [truth.state(version)],
      (state) => sameLines(linesOf(state), linesOfAnswer(answer)),
      () => `index get at version ${version} gave ${linesOfAnswer(answer).join(' ')}`,
    )
}

async function getBounded(call: Call, collection: Collection): Promise<void> {
  const { world, from, truth } = call
  const sinceMs = from.atMs - BOUNDED_MS
  const oldest = truth.endAt(sinceMs)
  const answer = await collection.get({ include, level: 'bounded' })
  world.marks.hit('bounded get')
  if (!checkVersion(world, from, answer.version, oldest, 'bounded get')) return
  expectOne(
    world,
    'bounded reads',
    strongStates(from, answer.version, sinceMs),
    (state) => sameLines(linesOf(state), linesOfAnswer(answer)),
    () => `bounded get at version ${answer.version} gave ${linesOfAnswer(answer).join(' ')}`,
  )
}

/** A point in time never changes: it is the log up to that version, for each reader and at any time. */
async function getAt(call: Call, collection: Collection): Promise<void> {
  const { world, chance, from, truth } = call
  const at = chance.between(0, from.end)
  try {
    const answer = await collection.get({ include, at })
    world.marks.hit('point in time')
    const got = linesOfAnswer(answer)
    expectOne(
      world,
      'points in time',
      answer.version === at ? [truth.state(at)] : [],
      (state) => sameLines(linesOf(state), got),
      () => `get at ${at} answered version ${answer.version}: ${got.join(' ')}`,
    )
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found') || error.code !== 'gone') throw error
    world.marks.hit('point in time gone')
    // The initial records of a fork are not entries of its log: only its pins keep them.
    // An entry without a record of its folding cannot be told from a stray.
    const isRecorded = truth.log
      .slice(0, Math.min(at, truth.watermark))
      .every(({ entry }) => truth.current?.manifest.folded.some(({ ids }) => ids.includes(entry.id)))
    if (truth.deleted === 0 && collection.info.forkOf === undefined && isRecorded)
      world.fail('points in time', `version ${at} of ${truth.path} is said to be gone, but everything is kept`)
  }
}

async function count(call: Call, collection: Collection): Promise<void> {
  const { world, from, truth } = call
  const answer = await collection.count()
  expectOne(
    world,
    'strong reads',
    statesSince(from),
    (state) => state.records.size === answer,
    () => `count of ${truth.path} gave ${answer}, log ${from.end} to ${truth.end}`,
  )
}

function* statesSince(from: Before): Generator<ModelState> {
  for (let version = from.end; version <= from.truth.end; version++) yield* strongStates(from, version)
}

async function query(call: Call, collection: Collection): Promise<void> {
  const { world, chance, from } = call
  const { dimension } = world.plan
  const asked = drawVector(chance, dimension)
  let answer
  try {
    answer = await collection.query({ vectors: [asked], k: 100, include: { documents: true } })
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid') || error.code !== 'dimension-mismatch') throw error
    expectOne(
      world,
      'strong reads',
      statesSince(from),
      (state) => state.dimension !== null && state.dimension !== dimension,
      () => `a query of ${dimension} dimensions was refused`,
    )
    return
  }
  const { version, hits } = answer
  world.marks.hit('query')
  if (!checkVersion(world, from, version, from.end, 'query')) return
  const got = (hits[0]?.ids ?? []).map((id, i) => `${hits[0]?.distances[i]} ${id} ${hits[0]?.documents?.[i]}`)
  const expected = (state: ModelState) =>
    [...state.records].map(([id, { vector, document }]) => {
      const distance = vector.reduce((sum, x, i) => sum + (x - (asked[i] as number)) ** 2, 0)
      return `${distance} ${id} ${document}`
    })
  expectOne(
    world,
    'strong reads',
    strongStates(from, version),
    (state) => sameLines(expected(state).sort(), got.toSorted()),
    () => `query at version ${version} gave ${got.join(', ')}`,
  )
}

/** All pages show the state of the first one, at any server. */
async function page(call: Call, collection: Collection): Promise<void> {
  const { world, chance, servers, target } = call
  const limit = chance.between(1, 2)
  const first = await collection.get({ include, limit })
  const all: GetResponse = { ...first, ids: [] }
  const lines = linesOfAnswer(first)
  let token = first.pageToken
  // The first page fixes the state; later pages must show the same state in spite of concurrent writes.
  const decided = [...strongStates(call.from, first.version)].map(linesOf)
  if (!checkVersion(world, call.from, first.version, call.from.end, 'first page')) return
  while (token !== undefined) {
    await world.scheduler.sleep(chance.one(0.2) ? chance.between(500, 30_000) : chance.between(0, 100))
    const next = await nextPage(call, chance.pick(servers), token, limit)
    if (next === undefined) return
    lines.push(...linesOfAnswer(next))
    token = next.pageToken
  }
  world.marks.hit('paged through')
  if (!decided.some((state) => sameLines(state, lines)))
    world.fail(
      'pages of one state',
      `pages of ${target.path} at ${all.version} gave ${lines.join(' ')}, not ${decided[0]?.join(' ')}`,
    )
}

async function nextPage(call: Call, server: Server, token: string, limit: number): Promise<GetResponse | undefined> {
  const { world, target } = call
  const { damaged } = before(world, call.truth)
  try {
    return await server.useCollection(target, (collection) => collection.get({ include, limit, pageToken: token }))
  } catch (error) {
    if (isSiltstoneError(error, 'not-found') && error.code === 'gone') {
      world.marks.hit('page gone')
      return undefined
    }
    world.judge(error, `next page of ${target.path}`, damaged, mayBeMissing(call))
    return undefined
  }
}

export const kinds = { getAll, getAtLeast, getWhere, getIndex, getBounded, getAt, count, query, page }
