/** A rule checks the whole stack, because properties such as a bucket's privacy are separate resources. */
export interface Declared {
  type: string
  name: string
  urn: string
  /** Inputs, and outputs if they are known. */
  props: Readonly<Record<string, unknown>>
  protect: boolean
}

export interface Violation {
  resource: Declared
  message: string
}

export interface Rule {
  name: string
  description: string
  /** `advisory` is only printed. */
  level: 'mandatory' | 'advisory'
  check: (stack: Stack) => Violation[]
}

export class Stack {
  readonly #resources: readonly Declared[]

  constructor(resources: readonly Declared[]) {
    this.#resources = resources
  }

  /** @param type without its module: `aws:s3/bucket:Bucket` is `s3.Bucket` */
  all(type: string): Declared[] {
    const [module, name = ''] = type.split('.')
    const full = `aws:${module}/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`
    return this.#resources.filter((each) => each.type === full)
  }

  /** The resources of a type whose `key` is `value`. */
  where(type: string, key: string, value: unknown): Declared[] {
    return this.all(type).filter(({ props }) => props[key] === value)
  }
}

/** Checks every resource of the type; `complaint` returns the violation, or undefined. */
export function each(
  type: string,
  complaint: (resource: Declared, stack: Stack) => string | undefined,
): (stack: Stack) => Violation[] {
  return (stack) =>
    stack.all(type).flatMap((resource) => {
      const message = complaint(resource, stack)
      return message === undefined ? [] : [{ resource, message: `${resource.name}: ${message}` }]
    })
}

/** By the tag `Environment`; a resource without it is treated as production. */
export function isDev({ props }: Declared): boolean {
  return at(props, 'tags', 'Environment') === 'dev'
}

/** The value at the path; undefined if a step is missing. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value)
}

export interface PolicyStatement {
  Sid?: string
  Effect: string
  Principal?: unknown
  Action?: string | string[]
  Resource?: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

export const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]

/** Statements of a policy's text. */
export function statements(text: unknown): readonly PolicyStatement[] {
  if (typeof text !== 'string') return []
  const { Statement } = JSON.parse(text) as { Statement?: PolicyStatement | PolicyStatement[] }
  return list(Statement)
}

export function refusesPlainHttp(text: unknown): boolean {
  return statements(text).some(
    ({ Effect, Principal, Condition }) =>
      Effect === 'Deny' && Principal === '*' && at(Condition, 'Bool', 'aws:SecureTransport') === 'false',
  )
}
