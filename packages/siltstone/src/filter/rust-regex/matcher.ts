/**
 * Whether a text contains a match: a deterministic machine that is made while it runs (Cox, "Regular expression matching in
 * the wild", 2010). Its states are sets of instructions. A character takes one step in a table, or, when its transition is
 * met for the first time, as many steps as the program has instructions; the table has a bounded size and begins again when
 * it is full. So the time is linear in the text for any pattern.
 *
 * Conditions (`^`, `\b`) look at the characters on both sides. A state knows what the character before it was, and resolves
 * its conditions when it is told the next.
 */
import { ASCII_WORD, CARRIAGE_RETURN, EDGE, LINE_FEED, WORD } from './alphabet.ts'
import type { Instruction, Program } from './program.ts'
import type { Look } from './tree.ts'

/** Entries of the table of transitions. */
const MAX_TRANSITIONS = 1 << 16
/** Instructions of all states together. */
const MAX_STATE_SIZE = 1 << 17

const UNKNOWN = -1
const MATCH = -2
/** From here nothing can match any more. */
const DEAD = -3

interface State {
  /** Instructions that read, or are conditions that only the next character decides. */
  instructions: Uint16Array
  /** Traits of the character before. */
  before: number
}

export class Matcher {
  readonly #program: Program
  readonly #letters: number
  #states: State[] = []
  #numbers = new Map<string, number>()
  #size = 0
  /** The next state by state and letter; the last letter is the end of the text. */
  #table = new Int32Array(0)
  #start: number
  /** Marks instructions that a closure has met: those with the number of the closure. */
  readonly #met: Uint32Array
  #closure = 0
  readonly #stack: number[] = []
  /** Where nothing can begin to match, nothing can later. */
  readonly #startsOnce: boolean

  constructor(program: Program) {
    this.#program = program
    this.#letters = program.alphabet.size + 1
    this.#startsOnce = !program.looks.some(({ look }) => look === 'line-start' || look === 'word-start-half')
    this.#met = new Uint32Array(program.instructions.length)
    this.#start = this.#begin()
  }

  test(text: string): boolean {
    const { alphabet } = this.#program
    const end = this.#letters - 1
    let state = this.#start
    for (let i = 0; state >= 0; i++) {
      let letter = end
      if (i < text.length) {
        const point = text.codePointAt(i) as number
        if (point > 0xffff) i++
        letter = alphabet.letter(point)
      }
      const known = this.#table[state * this.#letters + letter] as number
      state = known === UNKNOWN ? this.#step(state, letter) : known
    }
    return state === MATCH
  }

  /** The first state. Forgets all others. */
  #begin(): number {
    this.#states = []
    this.#numbers.clear()
    this.#size = 0
    this.#table.fill(UNKNOWN)
    this.#start = this.#enter([], EDGE)
    return this.#start
  }

  #step(number: number, letter: number): number {
    const { instructions, alphabet } = this.#program
    const { instructions: from, before } = this.#states[number] as State
    const isEnd = letter === this.#letters - 1
    const after = isEnd ? EDGE : (alphabet.traits[letter] as number)
    const read = this.#closureOf(from, before, after)
    let next = MATCH
    if (read !== undefined) {
      const reached: number[] = []
      if (!isEnd) {
        for (const at of read) {
          const instruction = instructions[at]
          if (instruction?.kind === 'read' && alphabet.includes(instruction.set, letter)) reached.push(instruction.next)
        }
      }
      next = isEnd ? DEAD : this.#enter(reached, after)
    }
    // Not if entering has begun the table again, which then has no place for the old state.
    if (this.#states[number]?.instructions === from) this.#table[number * this.#letters + letter] = next
    return next
  }

  /** The state after instructions were reached; a match may begin there too. */
  #enter(reached: readonly number[], before: number): number {
    const closure = this.#closureOf([...reached, this.#program.start], before, undefined)
    if (closure === undefined) return MATCH
    if (closure.length === 0 && this.#startsOnce) return DEAD
    const instructions = Uint16Array.from(closure).sort()
    const key = `${String.fromCharCode(before)}${String.fromCharCode(...instructions)}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const isFull =
      (this.#states.length + 1) * this.#letters > MAX_TRANSITIONS || this.#size + instructions.length > MAX_STATE_SIZE
    if (isFull && this.#states.length > 1) {
      this.#begin()
      return this.#enter(reached, before)
    }
    const number = this.#states.push({ instructions, before }) - 1
    this.#numbers.set(key, number)
    this.#size += instructions.length
    this.#grow((number + 1) * this.#letters)
    return number
  }

  #grow(entries: number): void {
    if (entries <= this.#table.length) return
    const larger = new Int32Array(Math.max(entries, Math.min(2 * this.#table.length, MAX_TRANSITIONS))).fill(UNKNOWN)
    larger.set(this.#table)
    this.#table = larger
  }

  /**
   * The instructions that are reached without reading: those that read, and where the next character is not known
   * (`after` is undefined) the conditions that depend on it.
   *
   * @returns undefined if they include the match
   */
  #closureOf(from: Iterable<number>, before: number, after: number | undefined): number[] | undefined {
    const { instructions } = this.#program
    const stack = this.#stack
    const closure: number[] = []
    this.#closure++
    stack.length = 0
    for (const at of from) stack.push(at)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#met[at] === this.#closure) continue
      this.#met[at] = this.#closure
      const instruction = instructions[at] as Instruction
      switch (instruction.kind) {
        case 'match':
          return undefined
        case 'split':
          stack.push(instruction.next, instruction.other)
          break
        case 'look': {
          const holds = isTrue(instruction.look, before, after)
          if (holds === undefined) closure.push(at)
          else if (holds) stack.push(instruction.next)
          break
        }
        case 'read':
          closure.push(at)
      }
    }
    return closure
  }
}

/** @returns undefined if the next character decides it and is not known */
function isTrue({ look, ascii }: Look, before: number, after: number | undefined): boolean | undefined {
  if (look === 'text-start') return before === EDGE
  if (look === 'line-start') return (before & (EDGE | LINE_FEED)) !== 0
  const word = ascii ? ASCII_WORD : WORD
  const wasWord = (before & word) !== 0
  if (look === 'word-start-half') return !wasWord
  if (after === undefined) return undefined
  const isWord = (after & word) !== 0
  switch (look) {
    case 'text-end':
      return after === EDGE
    case 'line-end':
      return (after & (EDGE | LINE_FEED)) !== 0
    case 'crlf-start':
      return (before & (EDGE | LINE_FEED)) !== 0 || ((before & CARRIAGE_RETURN) !== 0 && (after & LINE_FEED) === 0)
    case 'crlf-end':
      return (after & (EDGE | CARRIAGE_RETURN)) !== 0 || ((after & LINE_FEED) !== 0 && (before & CARRIAGE_RETURN) === 0)
    case 'word':
      return wasWord !== isWord
    case 'not-word':
      return wasWord === isWord
    case 'word-start':
      return !wasWord && isWord
    case 'word-end':
      return wasWord && !isWord
    case 'word-end-half':
      return !isWord
  }
}
