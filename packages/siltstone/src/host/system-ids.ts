import { monotonicFactory } from 'ulid'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import type { Random } from '../ports/random.ts'

/** Ids from a clock and a source of randomness; equal sources give equal ids. */
export function systemIds(clock: Clock, random: Random): Ids {
  const nextUlid = monotonicFactory(() => random.next())
  return {
    // The library takes 0 for "no time given".
    ulid: () => nextUlid(Math.max(1, Math.floor(clock.nowMs()))),
    uuid: () => uuidV4(random),
  }
}

/** Ids that replay from a seed. */
export function seededIds(seed: number, clock: Clock): Ids {
  return systemIds(clock, seededRandom(seed))
}

/** RFC 9562, section 5.4. */
function uuidV4(random: Random): string {
  const bytes = Buffer.alloc(16)
  for (let at = 0; at < 16; at++) bytes[at] = Math.floor(random.next() * 256)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
