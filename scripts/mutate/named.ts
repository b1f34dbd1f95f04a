/** Mutants that once went unnoticed, and others that none may be. Anchors match whatever the white space. */
export interface Named {
  name: string
  /** Stands exactly once in the rooms that are mutated. */
  find: string
  replace: string
}

export const NAMED: readonly Named[] = [
  {
    name: 'search: the bound of later survivors halved',
    find: 'ranked.nearest.bound * scale',
    replace: '(ranked.nearest.bound * scale) / 2',
  },
]
