/** Policy documents as plain data. Nothing in `policy/` depends on Pulumi, so tests can evaluate each document. */
export type Condition = Record<string, Record<string, string | readonly string[]>>

export type Principal = '*' | { Service: string } | { Federated: string } | { AWS: string }

export interface Statement {
  Sid: string
  Effect: 'Allow' | 'Deny'
  Principal?: Principal
  Action: readonly string[]
  /** Present in every policy except trust policies. */
  Resource?: readonly string[]
  Condition?: Condition
}

export interface PolicyDocument {
  Version: '2012-10-17'
  Statement: readonly Statement[]
}

/** AWS's limits in characters, without white space. */
export const SIZE_LIMITS = { managed: 6_144, inlineRole: 10_240, trust: 2_048, bucket: 20_480 } as const

export function policy(...statements: (Statement | undefined)[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements.filter((each) => each !== undefined) }
}

export const allow = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Condition) =>
  ({ Sid, Effect: 'Allow', Action, Resource, ...(Condition && { Condition }) }) satisfies Statement

export const deny = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Condition) =>
  ({ Sid, Effect: 'Deny', Action, Resource, ...(Condition && { Condition }) }) satisfies Statement

export function sizeOf(document: PolicyDocument): number {
  return JSON.stringify(document).replaceAll(/\s/g, '').length
}

/** Matches keys and names of actions as IAM does: `*` is any characters, slashes included. No policy here uses `?`. */
export function wildcard(pattern: string): RegExp {
  const literal = (text: string) => text.replaceAll(/[.+^${}()|[\]\\/?-]/g, String.raw`\$&`)
  return new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`)
}
