/** A uniform sample of a stream of unknown length: algorithm R (Vitter, “Random Sampling with a Reservoir”, 1985). */
import type { Random } from 'siltstone/internal'

export interface Sample {
  seen: number
  ids: string[]
}

export function addToSample(sample: Sample, ids: readonly string[], size: number, random: Random): void {
  for (const id of ids) {
    sample.seen++
    if (sample.ids.length < size) sample.ids.push(id)
    else {
      const slot = Math.floor(random.next() * sample.seen)
      if (slot < size) sample.ids[slot] = id
    }
  }
}
