/**
 * History: each commit pins its parent, and older pins are thinned. Pins of other kinds stay until they expire or are
 * removed.
 */
import type { Manifest, Pin } from '../format/manifest.ts'

export interface HistoryPolicy {
  /** Every commit is kept this long. */
  everyCommitMs: number
  /** After that, one commit per hour is kept until this age. */
  hourlyMs: number
  /** This many of the newest commits are kept at any age. */
  newest: number
}

const HOUR_MS = 3_600_000

export const defaultHistory: HistoryPolicy = { everyCommitMs: HOUR_MS, hourlyMs: 7 * 24 * HOUR_MS, newest: 10 }

/** The pins of the manifest that follows `parent`. */
export function pinsAfter(parent: Manifest, parentKey: string | null, nowMs: number, policy: HistoryPolicy): Pin[] {
  const pins = [...parent.pins]
  if (parentKey !== null && parent.state === 'live')
    pins.push({
      kind: 'history',
      manifestKey: parentKey,
      watermark: parent.watermark,
      committedAtMs: parent.createdAtMs,
      untilMs: null,
      pinnedAtMs: nowMs,
      reason: '',
    })
  return thin(pins, nowMs, policy)
}

export function thin(pins: readonly Pin[], nowMs: number, policy: HistoryPolicy): Pin[] {
  const newestFirst = pins
    .filter(({ kind }) => kind === 'history')
    .sort((a, b) => b.committedAtMs - a.committedAtMs || b.watermark - a.watermark)
  const hours = new Set<number>()
  const kept = new Set<Pin>()
  newestFirst.forEach((pin, i) => {
    const ageMs = nowMs - pin.committedAtMs
    const hour = Math.floor(pin.committedAtMs / HOUR_MS)
    const firstOfHour = !hours.has(hour)
    hours.add(hour)
    if (i < policy.newest || ageMs <= policy.everyCommitMs || (ageMs <= policy.hourlyMs && firstOfHour)) kept.add(pin)
  })
  return pins.filter((pin) => (pin.kind === 'history' ? kept.has(pin) : pin.untilMs === null || pin.untilMs > nowMs))
}
