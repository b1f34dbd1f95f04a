import type { BaseIssue } from 'valibot'

export interface SchemaIssue {
  /** Keys and positions from the outside in; of the object, when one of its keys is not known. */
  path: (string | number)[]
  /** What is wrong, without the value: it may be a secret. */
  problem: string
}

/** The first mistake in a configuration that a person wrote. */
export function schemaIssue([issue]: readonly BaseIssue<unknown>[]): SchemaIssue {
  const path = (issue?.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
  if (issue === undefined) return { path, problem: 'not understood' }
  if (issue.expected === 'never')
    return { path: path.slice(0, -1), problem: `unknown key ${JSON.stringify(path.at(-1))}` }
  if (issue.type === 'strict_object' && path.length > 0) return { path, problem: 'is missing' }
  // Valibot's own messages begin with "Invalid" and quote the value.
  const problem = issue.message.startsWith('Invalid ') ? `expected ${issue.expected ?? 'another value'}` : issue.message
  return { path, problem }
}
