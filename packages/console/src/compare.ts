/** How one list of hits differs from another. */
export interface Move {
  id: string
  /** Places that the hit went up; negative: down. undefined: the other list does not have it. */
  by: number | undefined
}

export function movesOf(ids: readonly string[], other: readonly string[]): Move[] {
  const places = new Map(other.map((id, place) => [id, place]))
  return ids.map((id, place) => {
    const before = places.get(id)
    return { id, by: before === undefined ? undefined : before - place }
  })
}

/** Share of the other list's hits that this one has. */
export function overlap(ids: readonly string[], other: readonly string[]): number {
  if (other.length === 0) return 1
  const own = new Set(ids)
  return other.filter((id) => own.has(id)).length / other.length
}
