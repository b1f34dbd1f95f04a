import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { descent } from './lineage.ts'

const node = (id: string) => ({ id, name: id, netScore: null })
const edge = (from: string, to: string) => ({ from, to, relation: 'base_model' })
const listed = (edges: ReturnType<typeof edge>[], direction: 'ancestors' | 'descendants') =>
  descent({ nodes: ['a', 'b', 'c', 'd'].map(node), edges, isCut: false }, 'a', direction).map(
    ({ node: { id }, depth }) => `${id}${depth}`,
  )

describe('descent', () => {
  it('is listed in both directions, deeper after nearer', () => {
    expect(listed([edge('b', 'a'), edge('c', 'b'), edge('a', 'd')], 'ancestors')).toEqual(['b0', 'c1'])
    expect(listed([edge('b', 'a'), edge('c', 'b'), edge('a', 'd')], 'descendants')).toEqual(['d0'])
  })

  it('lists what is reached twice, but not twice what lies behind it', () => {
    expect(
      listed([edge('b', 'a'), edge('c', 'a'), edge('d', 'b'), edge('d', 'c'), edge('a', 'd')], 'ancestors'),
    ).toEqual(['b0', 'd1', 'a2', 'c0', 'd1'])
  })

  it('ends for every graph, with unique lines', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const edges = fc.uniqueArray(fc.tuple(id, id), { selector: ([from, to]) => from + to, maxLength: 16 })
    fc.assert(
      fc.property(edges, (pairs) => {
        const graph = {
          nodes: ['a', 'b', 'c', 'd'].map(node),
          edges: pairs.map(([from, to]) => edge(from, to)),
          isCut: false,
        }
        const lines = descent(graph, 'a', 'descendants')
        expect(new Set(lines.map(({ path }) => path)).size).toBe(lines.length)
        expect(lines.length).toBeLessThanOrEqual(pairs.length)
      }),
    )
  })
})
