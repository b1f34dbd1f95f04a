/** A resource that a program registered. */
export interface Resource {
  urn: string
  /** `aws:s3/bucket:Bucket`; `siltstone:aws:VectorBucket` of a component. */
  type: string
  name: string
  /** Empty for components. */
  id: string
  /** False for components and the stack, which have no counterpart in the cloud. */
  custom: boolean
  parent: string
  /** Resolved inputs; secrets in the clear; an archive of a folder is `{ "archive": "<path>" }`. */
  inputs: Record<string, unknown>
  /** Inputs, and outputs that the provider added. */
  state: Record<string, unknown>
  /** Names of inputs that hold secrets. */
  secrets: string[]
  /** URNs of its dependencies. Resources are listed in dependency order. */
  dependencies: string[]
  protect: boolean
  retainOnDelete: boolean
  ignoreChanges: string[]
  /** The registered outputs of a component. */
  outputs: Record<string, unknown>
}

/** A resource as a provider receives it. */
export type Registered = Omit<Resource, 'id' | 'state' | 'outputs'>

/** In a dry run, stands for a value that only a deployment would know. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

const SIGNATURE = '4dabf18193072939515e22adb298388d'
const SECRET = '1b47061264138c4ac30d75fd1eb44270'
const ARCHIVE = '0def7320c3a5731c473e5ecbe6d01bc7'
const ASSET = 'c44067f5952c0a294b673a41bacd8c17'

/** Converts Pulumi's wire format to plain JSON. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  const map = value as Record<string, unknown>
  if (map[SIGNATURE] === SECRET) return plain(map['value'])
  if (map[SIGNATURE] === ARCHIVE) return { archive: map['path'] ?? plain(map['assets']) }
  if (map[SIGNATURE] === ASSET) return { asset: map['path'] ?? map['text'] ?? map['uri'] }
  return Object.fromEntries(Object.entries(map).map(([key, each]) => [key, plain(each)]))
}

export function holdsSecret(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  return (value as Record<string, unknown>)[SIGNATURE] === SECRET || Object.values(value).some(holdsSecret)
}
