/** A rule looks at the whole stack: what makes a bucket private is another resource than the bucket. */
export interface Declared {
  type: string
  name: string
  urn: string
  /** Inputs and, where they are known, outputs. */
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

  /** Those of a type whose `key` is `value`. */
  where(type: string, key: string, value: unknown): Declared[] {
    return this.all(type).filter(({ props }) => props[key] === value)
  }
}

/** Every resource of the type must pass; `complaint` answers what is wrong, or nothing. */
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

/** Of the tag; what has none is treated as production. */
export function isDev({ props }: Declared): boolean {
  return at(props, 'tags', 'Environment') === 'dev'
}

/** The value below; undefined when there is none on the way. */
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
