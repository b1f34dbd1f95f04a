/** Shapes of the smaller parts of a manifest: damage is found when it is decoded, not later where a part is used. */

export type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const time: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const checksum: Check = (value) => typeof value === 'string' && /^[0-9a-f]{8}$/.test(value)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const record =
  (fields: Record<string, Check>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]))

const objectRef = record({ key: text, sizeBytes: count, crc32: checksum })

export const isDeletions: Check = orNull(record({ count, inline: optional(text), object: optional(objectRef) }))
export const isOwners: Check = listOf(record({ collection: text, manifestKey: text }))
export const isParent: Check = orNull(record({ manifestKey: text, committedAtMs: time }))
/** A list that is stored in an object of its own. */
export const isMoved: Check = record({ object: objectRef })

/** By the name of the list. */
export const isList = {
  sequenced: listOf(record({ foldedAtMs: time, ulids: listOf(text) })),
  folded: listOf(record({ foldedAtMs: time, first: count, ids: listOf(text) })),
  refused: listOf(record({ key: text, entry: count, reason: text, atMs: time })),
  pins: listOf(
    record({
      kind: text,
      manifestKey: text,
      watermark: count,
      committedAtMs: time,
      untilMs: orNull(time),
      pinnedAtMs: time,
      reason: text,
    }),
  ),
}
