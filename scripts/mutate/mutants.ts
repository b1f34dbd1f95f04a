/** Mutants: sampled from a room by a seed, or listed by name. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mutationsOf } from './mutators.ts'
import { NAMED } from './named.ts'
import { type Nearest, ROOMS, roomOf } from './rooms.ts'
import type { Change } from './workshop.ts'

export interface Mutant extends Change {
  /** The same for the same change of the same source. */
  id: string
  name: string
  room: string
  line: number
  nearest: Nearest
}

const SOURCE = 'packages/siltstone/src'
const NO_PRODUCT = /\.(?:test|contract|child)\.ts$|(?:^|\/)(?:testing|contract|golden)(?:\/|\.ts$)|(?:^|\/)index\.ts$/

function sourcesOf(root: string, room: string): { path: string; text: string }[] {
  return readdirSync(join(root, SOURCE, room), { recursive: true, encoding: 'utf8' })
    .map((name) => `${SOURCE}/${room}/${name}`)
    .filter((path) => path.endsWith('.ts') && !NO_PRODUCT.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The first `count` of all mutants of a room, in an order that depends only on the seed. */
export function sampledMutants(root: string, room: string, count: number, seed: string): Mutant[] {
  const all = sourcesOf(root, room).flatMap(({ path, text }) =>
    mutationsOf(text).map(({ kind, start, end, text: replacement }) =>
      mutantOf(kind, path, text, start, text.slice(0, start) + replacement + text.slice(end)),
    ),
  )
  const place = ({ id }: Mutant) => hash(`${seed} ${id}`)
  return all
    .map((mutant) => ({ mutant, place: place(mutant) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .slice(0, count)
    .map(({ mutant }) => mutant)
}

/** @throws Error unless each anchor is found exactly once */
export function namedMutants(root: string): Mutant[] {
  const sources = Object.keys(ROOMS).flatMap((room) => sourcesOf(root, room))
  return NAMED.map(({ name, find, replace }) => {
    const pattern = new RegExp(find.trim().split(/\s+/).map(escape).join('\\s*'), 'g')
    const places = sources.flatMap(({ path, text }) =>
      [...text.matchAll(pattern)].map((match) => ({ path, text, match })),
    )
    const [place] = places
    if (!place || places.length > 1)
      throw new Error(
        `named mutant ${JSON.stringify(name)}: ${find} occurs ${places.length} times, not once: adapt it to the code`,
      )
    const { path, text, match } = place
    return mutantOf(
      name,
      path,
      text,
      match.index,
      text.slice(0, match.index) + replace + text.slice(match.index + match[0].length),
    )
  })
}

function mutantOf(name: string, path: string, original: string, start: number, mutated: string): Mutant {
  const room = roomOf(path) as string
  const line = original.slice(0, start).split('\n').length
  const id = hash(`${path} ${hash(original)} ${hash(mutated)}`).slice(0, 16)
  return { id, name, room, path, line, original, mutated, nearest: ROOMS[room] as Nearest }
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
