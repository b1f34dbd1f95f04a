/** Changes valid bytes as damage and attackers do, from a seed. */
import { Chance } from '../processes/chance.ts'

export { Chance }

/** A copy of `bytes` with one to four changes. `others`: bytes that may be spliced in. */
export function mutateBytes(bytes: Uint8Array, others: readonly Uint8Array[], chance: Chance): Uint8Array {
  // Copies even a Buffer, whose `slice` is a view.
  let out: Uint8Array = new Uint8Array(bytes)
  for (let changes = 1 + chance.below(4); changes > 0; changes--) out = chance.pick(CHANGES)(out, others, chance)
  return out
}

type Change = (bytes: Uint8Array, others: readonly Uint8Array[], chance: Chance) => Uint8Array

const EXTREMES = [0, 1, -1, 2, 7, 8, 255, 256, 65_535, 2 ** 24, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 100_000_000]

const flipBits: Change = (bytes, _, chance) => {
  for (let n = 1 + chance.below(8); n > 0 && bytes.length > 0; n--) {
    const at = chance.below(bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << chance.below(8))
  }
  return bytes
}

const setByte: Change = (bytes, _, chance) => {
  if (bytes.length > 0) bytes[chance.below(bytes.length)] = chance.pick([0, 1, 127, 128, 254, 255, chance.below(256)])
  return bytes
}

/** Replaces a number of 2, 4 or 8 bytes, often aligned, which may be a length or an offset. */
const setNumber: Change = (bytes, _, chance) => {
  const width = chance.pick([2, 4, 4, 4, 8])
  if (bytes.length < width) return bytes
  const anywhere = chance.below(bytes.length - width + 1)
  const at = chance.next() < 0.8 ? anywhere - (anywhere % width) : anywhere
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = chance.next() < 0.7 ? chance.pick(EXTREMES) : bytes.length + chance.below(9) - 4
  if (width === 2) view.setUint16(at, value & 0xffff, true)
  else if (width === 4) view.setInt32(at, value | 0, true)
  else view.setBigInt64(at, BigInt(value), true)
  return bytes
}

const truncate: Change = (bytes, _, chance) => bytes.slice(0, chance.below(bytes.length + 1))

const remove: Change = (bytes, _, chance) => {
  const at = chance.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(32)))
}

const repeat: Change = (bytes, _, chance) => {
  const at = chance.below(bytes.length + 1)
  const length = 1 + chance.below(64)
  return joined(bytes.subarray(0, at + length), bytes.subarray(at))
}

const splice: Change = (bytes, others, chance) => {
  const other = others.length === 0 ? bytes : chance.pick(others)
  const from = chance.below(other.length + 1)
  const piece = other.subarray(from, from + chance.below(chance.pick([8, 64, other.length + 1])))
  const at = chance.below(bytes.length + 1)
  const rest = chance.next() < 0.5 ? at : Math.min(bytes.length, at + piece.length)
  return joined(bytes.subarray(0, at), piece, bytes.subarray(rest))
}

const CHANGES: readonly Change[] = [
  flipBits,
  flipBits,
  setByte,
  setNumber,
  setNumber,
  setNumber,
  truncate,
  remove,
  repeat,
  splice,
]

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 31,
  2 ** 53,
  9007199254740991,
  100_000_000,
  '',
  'x',
  '\u0000',
  '../../../etc/passwd',
  '__proto__',
  'ffffffff',
  [],
  {},
  [[]],
  [null],
  { object: null },
  { object: { key: 'x', sizeBytes: 1, crc32: '00000000' } },
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
]

/** Replaces, removes, adds or exchanges one to three values of a JSON text. */
export function mutateJson(json: unknown, chance: Chance): unknown {
  let out = structuredClone(json)
  for (let changes = 1 + chance.below(3); changes > 0; changes--) {
    const value = chance.next() < 0.7 ? chance.pick(ODD) : somePart(out, chance)
    out = changed(out, chance, structuredClone(value))
  }
  return out
}

function somePart(json: unknown, chance: Chance): unknown {
  if (typeof json !== 'object' || json === null || chance.next() < 0.2) return json
  const values = Object.values(json) as unknown[]
  return values.length === 0 ? json : somePart(chance.pick(values), chance)
}

function changed(json: unknown, chance: Chance, value: unknown): unknown {
  if (typeof json !== 'object' || json === null || chance.next() < 0.1) return value
  if (Array.isArray(json)) {
    const list = json as unknown[]
    const at = chance.below(list.length + 1)
    if (chance.next() < 0.2) return list.toSpliced(at, 1)
    return list.toSpliced(at, 1, changed(list[at], chance, value))
  }
  const entries = Object.entries(json)
  const at = chance.below(entries.length + 1)
  if (chance.next() < 0.2) return Object.fromEntries(entries.toSpliced(at, 1))
  const [key, old] = entries[at] ?? [chance.pick(['__proto__', 'constructor', 'extra']), undefined]
  return Object.fromEntries([...entries.toSpliced(at, 1), [key, changed(old, chance, value)]])
}
