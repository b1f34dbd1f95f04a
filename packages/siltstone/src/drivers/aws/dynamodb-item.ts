/** A lease as an item of DynamoDB: `LOCK#<collection>/<fold|merge>`. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { LeaseState } from '../../ports/lease.ts'

export type Item = Record<string, AttributeValue>

/** The only key attribute of the table. */
export const KEY_ATTRIBUTE = 'pk'
export const LOCK_PREFIX = 'LOCK#'

export const keyOf = (name: string): Item => ({ [KEY_ATTRIBUTE]: { S: `${LOCK_PREFIX}${name}` } })

export const text = (S: string): AttributeValue => ({ S })
export const number = (value: number): AttributeValue => ({ N: String(Math.floor(value)) })
export const flag = (BOOL: boolean): AttributeValue => ({ BOOL })

/** A free lease has no owner; its item is kept for the fencing number. */
export function stateOfItem(item: Item): LeaseState {
  const numberOf = (name: string) => Number(item[name]?.N ?? 0)
  return {
    name: (item[KEY_ATTRIBUTE]?.S ?? '').slice(LOCK_PREFIX.length),
    owner: item['owner']?.S,
    expiresAtMs: numberOf('expiresAtMs'),
    heartbeatAtMs: numberOf('heartbeatAtMs'),
    fencing: numberOf('fencing'),
    dirty: item['dirty']?.BOOL === true,
  }
}
