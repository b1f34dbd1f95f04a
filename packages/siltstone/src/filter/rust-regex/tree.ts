/**
 * What a pattern means, without its spelling. The constructors simplify as Rust's `regex-syntax` does, as far as this
 * decides which patterns are valid.
 */
import { type CharSet, onlyPoint, union } from './char-set.ts'

/** Conditions between two characters. `word…` is about Unicode's words unless `ascii` is set. */
export type LookKind =
  | 'text-start'
  | 'text-end'
  | 'line-start'
  | 'line-end'
  | 'crlf-start'
  | 'crlf-end'
  | 'word'
  | 'not-word'
  | 'word-start'
  | 'word-end'
  | 'word-start-half'
  | 'word-end-half'

export type Look = { kind: 'look'; look: LookKind; ascii: boolean }

export type Node =
  | { kind: 'empty' }
  /** At least one character. */
  | { kind: 'literal'; text: string }
  /** One code point of the set. `bytes`: written where Unicode is off. */
  | { kind: 'class'; set: CharSet; bytes: boolean }
  | Look
  /** `most` may be infinite. Whether it is greedy makes no difference to whether a text matches. */
  | { kind: 'repeat'; part: Node; least: number; most: number }
  | { kind: 'sequence' | 'alternatives'; parts: readonly Node[] }

export const EMPTY: Node = { kind: 'empty' }

/** An empty set matches nothing. */
export function classOf(set: CharSet, bytes = false): Node {
  const point = onlyPoint(set)
  return point === undefined ? { kind: 'class', set, bytes } : { kind: 'literal', text: String.fromCodePoint(point) }
}

export function sequenceOf(items: readonly Node[]): Node {
  const parts: Node[] = []
  for (const item of items) {
    const last = parts.at(-1)
    if (item.kind === 'empty') continue
    if (item.kind === 'literal' && last?.kind === 'literal') {
      parts[parts.length - 1] = { kind: 'literal', text: last.text + item.text }
    } else parts.push(item)
  }
  return parts.length === 0 ? EMPTY : parts.length === 1 ? (parts[0] as Node) : { kind: 'sequence', parts }
}

/** @param items at least one; alternatives of single characters are a class */
export function alternativesOf(items: readonly Node[]): Node {
  const parts = items.flatMap((item) => (item.kind === 'alternatives' ? item.parts : [item]))
  if (parts.length === 1) return parts[0] as Node
  const sets = parts.map(setOf)
  const isOneKind = new Set(parts.map(({ kind }) => kind)).size === 1
  // A class of bytes joins other classes, but no literals.
  return sets.every((set) => set !== undefined) && (isOneKind || !parts.some(hasBytes))
    ? classOf(sets.reduce((all, set) => union(all, set)))
    : { kind: 'alternatives', parts }
}

function setOf(node: Node): CharSet | undefined {
  if (node.kind === 'class') return node.set
  if (node.kind !== 'literal') return undefined
  const point = node.text.codePointAt(0) as number
  return String.fromCodePoint(point) === node.text ? [point, point] : undefined
}

/** A capture group: a single character within it is no part of the alternatives around it. */
export function groupOf(node: Node): Node {
  return node.kind === 'class' || node.kind === 'alternatives' ? { kind: 'sequence', parts: [node] } : node
}

export function repeatOf(part: Node, least: number, most: number): Node {
  // To repeat what has no length changes nothing.
  const [from, to] = hasLength(part) ? [least, most] : [Math.min(least, 1), Math.min(most, 1)]
  if (to === 0) return EMPTY
  return from === 1 && to === 1 ? part : { kind: 'repeat', part, least: from, most: to }
}

/** Whether any match is longer than nothing. */
function hasLength(node: Node): boolean {
  switch (node.kind) {
    case 'empty':
    case 'look':
      return false
    case 'literal':
    case 'class':
      return true
    case 'repeat':
      return hasLength(node.part)
    case 'sequence':
    case 'alternatives':
      return node.parts.some(hasLength)
  }
}

/** Whether a part is a class of bytes, or one that matches nothing, which Chroma takes for a class of bytes. */
export function hasBytes(node: Node): boolean {
  switch (node.kind) {
    case 'class':
      return node.bytes || node.set.length === 0
    case 'repeat':
      return hasBytes(node.part)
    case 'sequence':
    case 'alternatives':
      return node.parts.some(hasBytes)
    case 'empty':
    case 'literal':
    case 'look':
      return false
  }
}
