import * as components from '../../src/index.ts'

const {
  VectorBucket,
  DeltaQueue,
  ObjectBucket,
  IngestQueue,
  IngestWorker,
  MediaWorker,
  RegistryFunction,
  LockTable,
  Roles,
  Functions,
  Server,
  ServerRoles,
  Schedule,
  Monitoring,
  DeployPolicies,
} = components
const COMPONENTS = {
  VectorBucket,
  DeltaQueue,
  ObjectBucket,
  IngestQueue,
  IngestWorker,
  MediaWorker,
  RegistryFunction,
  LockTable,
  Roles,
  Functions,
  Server,
  ServerRoles,
  Schedule,
  Monitoring,
  DeployPolicies,
} as const
export type ComponentName = keyof typeof COMPONENTS

/** @param args plain JSON from a test */
export function make(component: ComponentName, name: string, args: object): void {
  const Component = COMPONENTS[component] as new (name: string, args: unknown) => unknown
  new Component(name, args)
}
