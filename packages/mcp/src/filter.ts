import { type Filter, parseWhere } from 'siltstone/internal'
import { z } from 'zod'

export const where = z
  .record(z.string(), z.unknown())
  .describe('Metadata filter: {"year":{"$gte":2024}}, {"$and":[…]}; $eq $ne $gt $gte $lt $lte $in $nin $contains')

export const collectionName = z.string().min(1).describe('Name of a collection')

export const at = z
  .union([z.number().int().min(0), z.string()])
  .describe('Earlier state: a version, a snapshot, or a time (2026-11-27T18:00:00Z)')

/** @throws SiltstoneError `invalid` (where-clause) */
export function filterFrom(json: Record<string, unknown> | undefined): Filter | undefined {
  return json === undefined ? undefined : parseWhere(json, 'plain')
}
