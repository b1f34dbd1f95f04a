/** Points, by group. */

export class Points {
  readonly #groups = new Map<string, { won: number; all: number }>()
  readonly missed: string[] = []

  /** One point of a group, if `work` does not fail and does not return false. */
  async point(group: string, what: string, work: () => unknown): Promise<void> {
    const points = this.#groups.get(group) ?? { won: 0, all: 0 }
    this.#groups.set(group, points)
    points.all++
    try {
      if ((await work()) === false) throw new Error('it is otherwise')
      points.won++
    } catch (error) {
      this.missed.push(`${group}: ${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  get groups(): ReadonlyMap<string, Readonly<{ won: number; all: number }>> {
    return this.#groups
  }
}

/** @throws Error */
export function equal(seen: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(seen), JSON.stringify(wanted)]
  if (left !== right) throw new Error(`${left?.slice(0, 400)} instead of ${right?.slice(0, 400)}`)
}
