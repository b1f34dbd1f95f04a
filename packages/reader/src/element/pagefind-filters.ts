/**
 * Pagefind's filters as conditions on metadata. Values under a name have to be there, all of them; `any`, `all`, `none` and `not`
 * join what is below them, and lie in one another as they like. Names of filters are keys of the metadata, whose value may be a list.
 */
import type { Where } from 'siltstone/page-reading'

const JOINS = ['all', 'any', 'none', 'not'] as const
type Join = (typeof JOINS)[number]

const isJoin = (name: string): name is Join => (JOINS as readonly string[]).includes(name)
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** @returns undefined: there is no condition */
export function whereOf(filters: unknown): Where | undefined {
  return conditionOf(filters, undefined, false) as Where | undefined
}

/** @param negated what does not match it is meant */
function conditionOf(value: unknown, key: string | undefined, negated: boolean): object | undefined {
  if (isObject(value)) return joined('all', value, key, negated)
  if (key === undefined || value === undefined || value === null) return undefined
  // Of a list of values, one; of a single value, the value.
  return negated
    ? { $and: [{ [key]: { $ne: value } }, { [key]: { $not_contains: value } }] }
    : { $or: [{ [key]: value }, { [key]: { $contains: value } }] }
}

function joined(join: Join, value: unknown, key: string | undefined, outerNegated: boolean): object | undefined {
  const negated = outerNegated !== (join === 'none' || join === 'not')
  const parts = Array.isArray(value)
    ? value.map((one: unknown) => conditionOf(one, key, negated))
    : isObject(value)
      ? Object.entries(value).map(([name, one]) =>
          isJoin(name) ? joined(name, one, key, negated) : conditionOf(one, name, negated),
        )
      : [conditionOf(value, key, negated)]
  const conditions = parts.filter((part) => part !== undefined)
  if (conditions.length <= 1) return conditions[0]
  // The negation of all is any of the negations.
  const isAny = (join === 'any' || join === 'none') !== negated
  return { [isAny ? '$or' : '$and']: conditions }
}
