/** How processing stands, for users. */
import type { ObjectStatus } from 'siltstone/internal'
import type { HandOver, ObjectState, ObjectVersion } from './state.ts'

export const isFinal = ({ progress }: ObjectStatus): boolean =>
  progress !== 'queued' && progress !== 'running' && progress !== 'failed'

export function statusOf(
  bucket: string,
  key: string,
  state: ObjectState | undefined,
  object: ObjectVersion | undefined,
  isWanted: boolean,
): ObjectStatus {
  const isCurrent = (state?.object?.version ?? null) === (object?.version ?? null)
  const version = object?.version ?? null
  if (state === undefined)
    return {
      bucket,
      key,
      progress: object === undefined ? 'gone' : isWanted ? 'queued' : 'unprocessed',
      version,
      records: 0,
      collections: [],
      steps: {},
      attempt: 0,
      history: [],
    }
  const { records, collections, contentType, processor, claim, steps, attempt, retryAtMs, error, handOver } = state
  return {
    bucket,
    key,
    // A deletion, or a new version, that no worker has seen yet.
    progress: isCurrent ? state.progress : 'queued',
    version,
    records,
    collections,
    ...(contentType !== null && { contentType }),
    ...(processor && { processor: `${processor.name}@${processor.version}` }),
    ...(claim && { step: claim.step }),
    ...(claim === null && handOver && { step: waitingFor(handOver) }),
    steps,
    attempt,
    ...(retryAtMs !== null && { retryAt: new Date(retryAtMs).toISOString() }),
    ...(error && { error }),
    changedAt: new Date(state.changedAtMs).toISOString(),
    history: state.history,
  }
}

const waitingFor = ({ tier, recipient }: HandOver): string =>
  `waits for a worker of the tier ${tier}${recipient === null ? '' : `: ${recipient}`}`
