/**
 * Mutants that once survived, and others that must never survive: each breaks a promise of search, filters, records, the
 * log, compaction or the catalog. `npm run mutate -- --named` judges them.
 */
export interface Named {
  name: string
  /** Occurs exactly once in the mutated rooms; differences of white space are ignored. */
  find: string
  replace: string
}

export const NAMED: readonly Named[] = [
  {
    name: 'search: the bound of those measured later is halved',
    find: 'const bound = distance * this.#scale',
    replace: 'const bound = (distance * this.#scale) / 2',
  },
  {
    name: 'search: only the likeliest are measured',
    find: 'this.#others.filter((one) => least(one) <= bound)',
    replace: 'this.#others.filter((one) => least(one) > bound && least(one) < bound)',
  },
  {
    name: 'search: the least likely are measured first',
    find: 'candidates.slice(0, LIKELIEST * k)',
    replace: 'candidates.slice(-LIKELIEST * k)',
  },
  {
    name: 'select: filter indexes speak for rows that overlays changed',
    find: 'found.remove(row)',
    replace: 'void row',
  },
  {
    name: 'select: rows that overlays changed are not looked at again',
    find: 'if (live.has(row)) open.add(row)',
    replace: '',
  },
  {
    name: 'select: a touched record is judged by its row in the segment',
    find: 'live.remove(row)',
    replace: 'void row',
  },
  {
    name: 'select: what an index leaves open is not looked at',
    find: 'live.copy().intersect(possible)',
    replace: 'live.copy().intersect(certain)',
  },
  {
    name: 'scan: rows that the filter does not admit are offered',
    find: 'rows.has(firstRow + i)',
    replace: 'firstRow + i >= 0',
  },
  {
    name: 'rank: cosine without the length of the query',
    find: 'norm * Math.sqrt(norms[i] as number)',
    replace: 'Math.sqrt(norms[i] as number)',
  },
  {
    name: 'get: records of the log come in order of their last change',
    find: 'inserted.sort((a, b) => (a.ordinal as number) - (b.ordinal as number))',
    replace: 'inserted.sort((a, b) => a.seq - b.seq)',
  },
  {
    name: 'ivf: rows that the filter does not admit are estimated',
    find: 'admitted === undefined || admitted.has(row)',
    replace: 'admitted === undefined || row >= 0',
  },
  {
    name: 'ivf: the first copy of a list is taken for a row of its own',
    find: 'entry < primaries ? firstRow + entry',
    replace: 'entry <= primaries ? firstRow + entry',
  },
  {
    name: 'ivf: a record met twice counts twice',
    find: 'if (this.#counted.has(tag)) return',
    replace: '',
  },
  {
    name: 'filter index: texts that may be in a document certainly are',
    find: 'return possible ? { certain: new RowSet(this.#rows), possible }',
    replace: 'return possible ? { certain: possible, possible }',
  },
  {
    name: 'filter index: a negation is certain of what is open',
    find: '{ certain: complement(possible), possible: complement(certain) }',
    replace: '{ certain: complement(certain), possible: complement(certain) }',
  },
  {
    name: 'filter index: a run of equal values that begins in the page before',
    find: 'lowerBound(firsts, range.from.value) - 1',
    replace: 'lowerBound(firsts, range.from.value)',
  },
  {
    name: 'filter index: a bound that is not included is',
    find: 'value === from.value && !from.inclusive',
    replace: 'value !== from.value && !from.inclusive',
  },
  {
    name: 'filter index: numbers that no double holds are not possible at the bound',
    find: '[range(true)], possible',
    replace: '[range(false)], possible',
  },
  {
    name: 'records: an empty array in a patch is stored',
    find: 'value === null || (Array.isArray(value) && value.length === 0)',
    replace: 'value === null',
  },
  {
    name: 'records: of two patches the first wins',
    find: 'new Map([...a, ...b])',
    replace: 'new Map([...b, ...a])',
  },
  {
    name: 'log: an update forgets the vector that the log holds',
    find: 'vector: op.vector ?? head?.vector ?? null',
    replace: 'vector: op.vector',
  },
  {
    name: 'log: a record that the log inserted loses its place when it changes',
    find: 'ordinal: head?.ordinal',
    replace: 'ordinal: undefined',
  },
  {
    name: 'fold: rows of another state are overlaid after a lost commit',
    find: 'rows[split + i]',
    replace: 'rows[i]',
  },
  {
    name: 'merge: rows that were deleted during the merge come back',
    find: '(!ref || gone?.has(old))',
    replace: '!ref',
  },
  {
    name: 'merge: overlays that were written during the merge are lost',
    find: 'if (absorbed.has(descriptor.id)) continue',
    replace: 'if (absorbed.size >= 0) continue',
  },
  {
    name: 'merge: maps name the places at which rows were given, not their rows',
    find: 'map[old] = places[place] as number',
    replace: 'map[old] = place',
  },
  {
    name: 'merge: the oldest record comes last',
    find: 'value.ordinal < (best.values[best.at] as SegmentRow).ordinal',
    replace: 'value.ordinal > (best.values[best.at] as SegmentRow).ordinal',
  },
  {
    name: 'catalog: a claim is taken from an owner that has the name',
    find: "if (verdict === 'taken') return 'taken'",
    replace: '',
  },
  {
    name: 'catalog: a claim is made vacant although its owner wants it',
    find: '|| (await wants())',
    replace: '|| !(await wants())',
  },
]
