/** Converts what a program registers into the inputs of the SDK. */
import type { Clients } from '../clients.ts'

export type Inputs = Readonly<Record<string, unknown>>
export interface Made {
  id: string
  /** What AWS adds to the inputs. */
  state: Record<string, unknown>
}
export type Maker = (inputs: Inputs, clients: Clients, name: string) => Promise<Made>

/** @throws Error when it is missing */
export function text(inputs: Inputs, key: string): string {
  const value = inputs[key]
  if (typeof value !== 'string' || value === '') throw new Error(`${key} is ${JSON.stringify(value)}, not a text`)
  return value
}

export const optionalText = (inputs: Inputs, key: string): string | undefined =>
  inputs[key] === undefined ? undefined : text(inputs, key)

/** Pulumi's names begin with a lower-case letter, the SDK's with a capital; otherwise they are equal. Keys of the user's maps stay. */
export function pascal<T>(value: unknown): T {
  if (Array.isArray(value)) return value.map((each) => pascal(each)) as T
  if (value === null || typeof value !== 'object') return value as T
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(each)]),
  ) as T
}

/** Tags as a list. */
export const tagList = (inputs: Inputs): { Key: string; Value: string }[] =>
  Object.entries((inputs['tags'] ?? {}) as Record<string, string>).map(([Key, Value]) => ({ Key, Value }))

export const tagMap = (inputs: Inputs): Record<string, string> => (inputs['tags'] ?? {}) as Record<string, string>

/** @throws Error when the server's answer lacks it */
export function answered<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the server's answer has no ${what}`)
  return value
}
