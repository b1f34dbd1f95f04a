/**
 * Reads the subset of Python pickles that Chroma's `index_metadata.pickle` uses: numbers, strings, bytes, lists, tuples,
 * sets, dictionaries, and instances of classes as their plain state. Names in the file are never looked up or called, so
 * an untrusted pickle can do no harm.
 *
 * The opcodes are those of Python's `pickletools`, protocols 0 to 5. Chroma 1.x writes a dictionary (protocol 3),
 * Chroma 0.4 to 0.6 an instance of `PersistentData` (protocol 5).
 */
import { corrupt } from 'siltstone/internal'

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Map<Pickled, Pickled>
  | PickledClass
  | PickledObject

/** The name of a class in the file; it is never looked up. */
export class PickledClass {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** An instance: the class's name and the instance's state. */
export class PickledObject {
  readonly className: string
  state: Pickled = null
  constructor(className: string) {
    this.className = className
  }
}

const MARK = Symbol('mark')
type Item = Pickled | typeof MARK

/**
 * @param name of the file, for messages
 * @throws SiltstoneError `corrupt` (bad-pickle)
 */
export function readPickle(bytes: Uint8Array, name: string): Pickled {
  try {
    return new Reader(bytes).read()
  } catch (cause) {
    const reason = cause instanceof RangeError ? 'it ends too early' : (cause as Error).message
    throw corrupt('bad-pickle', `${name} is not a readable pickle: ${reason}`, { cause })
  }
}

class Reader {
  readonly #bytes: Buffer
  #at = 0
  #stack: Item[] = []
  readonly #memo = new Map<number, Item>()

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  read(): Pickled {
    for (;;) {
      const opcode = this.#bytes.readUInt8(this.#at++)
      if (opcode === 0x2e) return this.#pop()
      this.#step(opcode)
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.#at++
        return
      case 0x95: // FRAME
        this.#at += 8
        return
      case 0x28: // MARK
        return this.#push(MARK)
      case 0x30: // POP
        this.#stack.pop()
        return
      case 0x31: // POP_MARK
        this.#popToMark()
        return
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map())
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        return this.#push([])
      case 0x64: // DICT
        return this.#push(pairs(new Map(), this.#popToMark()))
      case 0x6c: // LIST
      case 0x74: // TUPLE
        return this.#push(this.#popToMark())
      case 0x85:
      case 0x86:
      case 0x87: // TUPLE1 to TUPLE3
        return this.#push(this.#popMany(opcode - 0x84))
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2))
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark())
      case 0x61: // APPEND
        return this.#append(this.#popMany(1))
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.#append(this.#popToMark())
      default:
        if (!this.#scalar(opcode) && !this.#memoOrClass(opcode))
          throw new Error(`opcode 0x${opcode.toString(16)} at byte ${this.#at - 1} is not supported`)
    }
  }

  #scalar(opcode: number): boolean {
    const value = this.#scalarValue(opcode)
    if (value === undefined) return false
    this.#push(value)
    return true
  }

  #scalarValue(opcode: number): Pickled | undefined {
    const bytes = this.#bytes
    switch (opcode) {
      case 0x4e: // NONE
        return null
      case 0x88: // NEWTRUE
        return true
      case 0x89: // NEWFALSE
        return false
      case 0x4a: // BININT
        return bytes.readInt32LE(this.#skip(4))
      case 0x4b: // BININT1
        return bytes.readUInt8(this.#skip(1))
      case 0x4d: // BININT2
        return bytes.readUInt16LE(this.#skip(2))
      case 0x8a: // LONG1
        return this.#long(bytes.readUInt8(this.#skip(1)))
      case 0x8b: // LONG4
        return this.#long(bytes.readInt32LE(this.#skip(4)))
      case 0x49: // INT
        return this.#decimal()
      case 0x4c: // LONG
        return this.#decimal()
      case 0x47: // BINFLOAT
        return bytes.readDoubleBE(this.#skip(8))
      case 0x8c: // SHORT_BINUNICODE
        return this.#text(bytes.readUInt8(this.#skip(1)))
      case 0x58: // BINUNICODE
        return this.#text(bytes.readUInt32LE(this.#skip(4)))
      case 0x8d: // BINUNICODE8
        return this.#text(Number(bytes.readBigUInt64LE(this.#skip(8))))
      case 0x55: // SHORT_BINSTRING
        return this.#text(bytes.readUInt8(this.#skip(1)))
      case 0x54: // BINSTRING
        return this.#text(bytes.readUInt32LE(this.#skip(4)))
      case 0x43: // SHORT_BINBYTES
        return this.#raw(bytes.readUInt8(this.#skip(1)))
      case 0x42: // BINBYTES
        return this.#raw(bytes.readUInt32LE(this.#skip(4)))
      default:
        return undefined
    }
  }

  #memoOrClass(opcode: number): boolean {
    const bytes = this.#bytes
    switch (opcode) {
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top())
        return true
      case 0x71: // BINPUT
        this.#memo.set(bytes.readUInt8(this.#skip(1)), this.#top())
        return true
      case 0x72: // LONG_BINPUT
        this.#memo.set(bytes.readUInt32LE(this.#skip(4)), this.#top())
        return true
      case 0x68: // BINGET
        return this.#recall(bytes.readUInt8(this.#skip(1)))
      case 0x6a: // LONG_BINGET
        return this.#recall(bytes.readUInt32LE(this.#skip(4)))
      case 0x63: // GLOBAL
        this.#push(new PickledClass(`${this.#line()}.${this.#line()}`))
        return true
      case 0x93: {
        // STACK_GLOBAL
        const names = this.#popMany(2)
        this.#push(new PickledClass(names.filter((name) => typeof name === 'string').join('.')))
        return true
      }
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.#instance()
        return true
      case 0x62: {
        // BUILD
        const state = this.#pop()
        const object = this.#top()
        if (!(object instanceof PickledObject)) throw new Error('a state without an object')
        object.state = state
        return true
      }
      default:
        return false
    }
  }

  /** `cls(*args)`; protocols 0 and 1 write `copyreg._reconstructor(cls, object, None)`. */
  #instance(): void {
    const [called, args] = this.#popMany(2)
    if (!(called instanceof PickledClass)) throw new Error('an instance of a value that is not a class')
    const first = Array.isArray(args) ? args[0] : undefined
    this.#push(
      new PickledObject(
        called.name.endsWith('._reconstructor') && first instanceof PickledClass ? first.name : called.name,
      ),
    )
  }

  #recall(slot: number): true {
    const item = this.#memo.get(slot)
    if (item === undefined) throw new Error(`memo ${slot} was never set`)
    this.#push(item)
    return true
  }

  #skip(count: number): number {
    const at = this.#at
    this.#at += count
    return at
  }

  #raw(length: number): Uint8Array {
    const at = this.#skip(length)
    if (length < 0 || this.#at > this.#bytes.length) throw new RangeError('too short')
    return this.#bytes.subarray(at, this.#at)
  }

  #text(length: number): string {
    this.#raw(length)
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end < 0) throw new RangeError('too short')
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  #decimal(): number | bigint {
    const text = this.#line().replace(/L$/, '')
    if (!/^-?\d+$/.test(text)) throw new Error(`${JSON.stringify(text)} is not an integer`)
    return narrow(BigInt(text))
  }

  /** Two's complement, little-endian. */
  #long(length: number): number | bigint {
    const raw = this.#raw(length)
    let value = 0n
    for (let i = raw.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i] as number)
    return narrow(BigInt.asIntN(length * 8, value))
  }

  #push(item: Item): void {
    this.#stack.push(item)
  }

  #top(): Item {
    const item = this.#stack.at(-1)
    if (item === undefined) throw new Error('the stack is empty')
    return item
  }

  #pop(): Pickled {
    const item = this.#top()
    this.#stack.pop()
    if (item === MARK) throw new Error('a mark where a value was expected')
    return item
  }

  #popMany(count: number): Pickled[] {
    const items: Pickled[] = []
    for (let i = 0; i < count; i++) items.push(this.#pop())
    return items.reverse()
  }

  #popToMark(): Pickled[] {
    const from = this.#stack.lastIndexOf(MARK)
    if (from < 0) throw new Error('no mark')
    const items = this.#stack.slice(from + 1) as Pickled[]
    this.#stack.length = from
    return items
  }

  #setItems(items: Pickled[]): void {
    const map = this.#top()
    if (!(map instanceof Map)) throw new Error('items for a value that is not a dictionary')
    pairs(map, items)
  }

  #append(items: Pickled[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw new Error('elements for a value that is not a list')
    for (const item of items) list.push(item)
  }
}

function pairs(map: Map<Pickled, Pickled>, items: readonly Pickled[]): Map<Pickled, Pickled> {
  if (items.length % 2 !== 0) throw new Error('a key without a value')
  for (let i = 0; i < items.length; i += 2) map.set(items[i] as Pickled, items[i + 1] as Pickled)
  return map
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
