/** The tests nearest to the code of a room. The quick ones run first, the slow ones for mutants that survive them. */
export interface Nearest {
  quick: readonly string[]
  slow: readonly string[]
}

const engine = (...names: string[]) => names.map((name) => `packages/siltstone/src/engine/${name}`)
const rooms = (...names: string[]) => names.map((name) => `packages/siltstone/src/${name}/`)

const everyEngine = engine('')

export const ROOMS: Readonly<Record<string, Nearest>> = {
  query: {
    quick: [...rooms('query'), ...engine('filters.property.test')],
    slow: [...engine('contract.test', 'search'), ...rooms('chroma')],
  },
  ivf: { quick: rooms('ivf'), slow: [...rooms('query'), ...engine('search', 'contract.test')] },
  'filter-index': {
    quick: rooms('filter-index'),
    slow: engine('filters.property.test', 'contract.test', 'compaction.property.test', 'search'),
  },
  records: {
    quick: rooms('records'),
    slow: [
      ...engine('contract.test', 'filters.property.test', 'compaction.property.test'),
      ...rooms('chroma', 'cli', 'log'),
    ],
  },
  log: { quick: rooms('log'), slow: [...everyEngine, ...rooms('compact', 'gc', 'check', 'chroma')] },
  compact: { quick: rooms('compact'), slow: [...everyEngine, ...rooms('check', 'gc', 'library')] },
  catalog: { quick: rooms('catalog'), slow: [...engine('contract.test', 'fork.test'), ...rooms('chroma', 'library')] },
}

export const roomOf = (path: string): string | undefined =>
  Object.keys(ROOMS).find((room) => path.startsWith(`packages/siltstone/src/${room}/`))
