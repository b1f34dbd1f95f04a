export { InvalidArgument } from './errors.ts'
export {
  type Environment,
  type FunctionName,
  FUNCTIONS,
  type PurposeNaming,
  bucketName,
  checkEnvironment,
  purposeBucketName,
  stackNames,
} from './names.ts'
export { type EmbedderChoice, EMBEDDERS } from './embedder.ts'
export type { CommonArgs } from './components/common.ts'
export { VectorBucket, type VectorBucketArgs } from './components/vector-bucket.ts'
export { DeltaQueue, type DeltaQueueArgs } from './components/delta-queue.ts'
export { ObjectBucket, type ObjectBucketArgs } from './components/object-bucket.ts'
export { IngestQueue, type IngestQueueArgs } from './components/ingest-queue.ts'
export { IngestWorker, type IngestWorkerArgs } from './components/ingest-worker.ts'
export type { MediaTarget, ObjectRule, TaskTarget } from './components/object-worker.ts'
export { MediaWorker, type MediaWorkerArgs } from './components/media-worker.ts'
export type { MediaTaskArgs } from './components/media-task.ts'
export { RegistryFunction, type RegistryFunctionArgs } from './components/registry-function.ts'
export { LockTable, type LockTableArgs, LOCK_KEY_ATTRIBUTE } from './components/lock-table.ts'
export { type FunctionRole, Roles, type RolesArgs } from './components/roles.ts'
export { Functions, type FunctionsArgs, type UrlAuthorization } from './components/functions.ts'
export type { FunctionSettings, LogLevel } from './components/function-settings.ts'
export { Server, type ServerArgs } from './components/server.ts'
export { ServerRoles, type ServerRolesArgs } from './components/server-roles.ts'
export { Schedule, type ScheduleArgs } from './components/schedule.ts'
export { Monitoring, type MonitoringArgs } from './components/monitoring.ts'
export { DeployPolicies, type DeployPoliciesArgs } from './components/deploy-policies.ts'
export type { LifecycleOptions } from './lifecycle.ts'
export type { GitHubSource } from './policy/trust.ts'
