/** From what a program registers to what the SDK takes. */
import type { Clients } from '../clients.ts'

export type Inputs = Readonly<Record<string, unknown>>
export interface Made {
  id: string
  /** What AWS adds to the inputs. */
  state: Record<string, unknown>
}
export type Maker = (inputs: Inputs, clients: Clients, name: string) => Promise<Made>

/** @throws Error when the program left it out */
export function text(inputs: Inputs, key: string): string {
  const value = inputs[key]
  if (typeof value !== 'string' || value === '') throw new Error(`${key} is ${JSON.stringify(value)}, not a text`)
  return value
}

export const optionalText = (inputs: Inputs, key: string): string | undefined =>
  inputs[key] === undefined ? undefined : text(inputs, key)

/** Pulumi's names begin small, the SDK's large; otherwise they are the same. Keys of maps of the user's stay. */
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

/** @throws Error when the server left it out of its answer */
export function answered<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the server answered no ${what}`)
  return value
}
