/** Thompson's construction: a pattern as instructions of a machine that reads code points. */
import { alphabetOf, type Alphabet } from './alphabet.ts'
import type { CharSet } from './char-set.ts'
import { regexError } from './syntax-error.ts'
import type { Look, Node } from './tree.ts'

/** In instructions; a character is one. Matching takes at most this many steps per character of a document. */
const MAX_PROGRAM_SIZE = 20_000

export type Instruction =
  /** Reads one code point. `set` is a number of a set of the alphabet. */
  | { kind: 'read'; set: number; next: number }
  | { kind: 'split'; next: number; other: number }
  | { kind: 'look'; look: Look; next: number }
  | { kind: 'match' }

export interface Program {
  instructions: readonly Instruction[]
  start: number
  alphabet: Alphabet
  /** Looks at words or lines, so that the character before matters. */
  looks: readonly Look[]
}

/** @throws SiltstoneError `invalid` regex-syntax for a program that is too large */
export function programOf(node: Node): Program {
  if (sizeOf(node) > MAX_PROGRAM_SIZE) {
    throw regexError(`the pattern's repetitions make a program of more than ${MAX_PROGRAM_SIZE} instructions`)
  }
  const builder = new Builder()
  const start = builder.add(node, builder.push({ kind: 'match' }))
  return {
    instructions: builder.instructions,
    start,
    alphabet: alphabetOf(builder.sets, builder.looks),
    looks: builder.looks,
  }
}

/** An upper bound of the number of instructions. */
function sizeOf(node: Node): number {
  switch (node.kind) {
    case 'empty':
      return 0
    case 'literal':
      return node.text.length
    case 'class':
    case 'look':
      return 1
    case 'repeat': {
      const times = node.most === Number.POSITIVE_INFINITY ? Math.max(1, node.least) : node.most
      return times * (sizeOf(node.part) + 1) + 1
    }
    case 'sequence':
    case 'alternatives':
      return node.parts.reduce((sum, part) => sum + sizeOf(part) + 1, 0)
  }
}

/** Builds from the end: each part is told which instruction follows it. */
class Builder {
  readonly instructions: Instruction[] = []
  /** Different sets. */
  readonly sets: CharSet[] = []
  readonly #numbers = new Map<CharSet | string, number>()
  readonly looks: Look[] = []

  push(instruction: Instruction): number {
    return this.instructions.push(instruction) - 1
  }

  add(node: Node, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next
      case 'literal':
        return Array.from(node.text).reduceRight((after, char) => {
          const point = char.codePointAt(0) as number
          return this.#read([point, point], after)
        }, next)
      case 'class':
        return this.#read(node.set, next)
      case 'look':
        this.looks.push(node)
        return this.push({ kind: 'look', look: node, next })
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.add(part, after), next)
      case 'alternatives':
        return node.parts
          .map((part) => this.add(part, next))
          .reduceRight((other, branch) => this.push({ kind: 'split', next: branch, other }))
      case 'repeat':
        return this.#repeat(node, next)
    }
  }

  #read(set: CharSet, next: number): number {
    let number = this.#numbers.get(set)
    if (number === undefined) {
      const points = set.join()
      number = this.#numbers.get(points) ?? this.sets.push(set) - 1
      this.#numbers.set(points, number)
      this.#numbers.set(set, number)
    }
    return this.push({ kind: 'read', set: number, next })
  }

  #repeat({ part, least, most }: Node & { kind: 'repeat' }, next: number): number {
    let entry = next
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Instruction = { kind: 'split', next, other: next }
      entry = this.push(loop)
      const body = this.add(part, entry)
      loop.next = body
      // With at least one repetition the loop is entered through its body.
      if (least > 0) entry = body
    } else {
      for (let i = least; i < most; i++) entry = this.push({ kind: 'split', next: this.add(part, entry), other: next })
    }
    const copies = most === Number.POSITIVE_INFINITY ? least - 1 : least
    for (let i = 0; i < copies; i++) entry = this.add(part, entry)
    return entry
  }
}
