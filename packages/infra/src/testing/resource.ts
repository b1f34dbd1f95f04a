/** What a program registered. */
export interface Resource {
  urn: string
  /** `aws:s3/bucket:Bucket`; `siltstone:aws:VectorBucket` of a component. */
  type: string
  name: string
  /** Empty for components. */
  id: string
  /** False for components and the stack: nothing in the cloud corresponds to them. */
  custom: boolean
  parent: string
  /** Everything resolved; secrets in the clear; an archive of a folder is `{ "archive": "<path>" }`. */
  inputs: Record<string, unknown>
  /** Inputs and what the provider added. */
  state: Record<string, unknown>
  /** Names of inputs that hold secrets. */
  secrets: string[]
  /** URNs that come before it. Resources are listed in such an order. */
  dependencies: string[]
  protect: boolean
  retainOnDelete: boolean
  ignoreChanges: string[]
  /** Of components: what they registered as their outputs. */
  outputs: Record<string, unknown>
}

/** As a provider gets it. */
export type Registered = Omit<Resource, 'id' | 'state' | 'outputs'>

/** Stands for a value that only a deployment would know, in a dry run. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

const SIGNATURE = '4dabf18193072939515e22adb298388d'
const SECRET = '1b47061264138c4ac30d75fd1eb44270'
const ARCHIVE = '0def7320c3a5731c473e5ecbe6d01bc7'
const ASSET = 'c44067f5952c0a294b673a41bacd8c17'

/** Pulumi's wire form into plain JSON. */
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
