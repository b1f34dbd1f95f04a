/** What `import … from '@siltstone/registry'` gives. */
export { registryCommands } from './commands.ts'
export {
  type ArtifactType,
  type Commit,
  type Evidence,
  EVIDENCE_VERSION,
  evidenceDigest,
  type Part,
  type ReviewedCommit,
  type SourceFile,
} from './evidence/evidence.ts'
export { type Direction, Lineage, type LineageEdge, type LineageGraph, type LineageNode } from './lineage/lineage.ts'
export { checkLicences, type LicenceCheck, type Verdict } from './licences/compatibility.ts'
export { type LicenceExpression, licenceText, parseLicence } from './licences/expression.ts'
export { explain, toModelRating } from './metrics/explain.ts'
export type { Device, Measurement, MetricName, Reason, Status } from './metrics/measurement.ts'
export { METRICS_VERSION, rate, type Rating, type RatingOptions } from './metrics/rating.ts'
export { DEFAULT_BUDGETS } from './metrics/size-score.ts'
export type { AnswerCache, KeptAnswer } from './sources/source-http.ts'
export type { SourceUrl } from './sources/source-url.ts'
export { type RecordRequest, Sources, type SourcesOptions } from './sources/sources.ts'
export type { UploadedFiles } from './sources/upload-source.ts'
export type { Artifact, RegisterRequest } from './store/artifact.ts'
export type { ArtifactFacts, Link, ReadmeFacts } from './store/artifact-document.ts'
export { Artifacts, type ArtifactsOptions } from './store/artifacts.ts'
export type { AuditEntry } from './store/audit.ts'
export { Blobs, type StoredBlob } from './store/blobs.ts'
export { type CommitFile, type CommitRequest, Commits, type FileCommit } from './store/commits.ts'
export { Documents, type DocumentsOptions } from './store/documents.ts'
export { type RegistryFinding, type RegistryReport, verifyRegistry } from './store/verify.ts'
export { type Rated, Ratings } from './rating/ratings.ts'
export { openService, type OpenServiceOptions } from './open-service.ts'
export { configuredAdmin, upkeepOf } from './registry-settings.ts'
export {
  Reconciler,
  type ReconcileFinding,
  type ReconcileKind,
  type ReconcileOptions,
  type ReconcileReport,
} from './reconcile/reconciler.ts'
export { type Gate, Registry, type RegistryOptions } from './registry.ts'
export { ArtifactIndex, type ListClause, type SearchOptions, type Viewer } from './search/artifact-index.ts'
export type { ArtifactPage, IndexedArtifact } from './search/entry.ts'
export { selfCheck } from './self-check.ts'
export { type RunningRegistry, serveRegistry } from './serve-registry.ts'
export { createService, type Service, type ServiceOptions } from './service.ts'
