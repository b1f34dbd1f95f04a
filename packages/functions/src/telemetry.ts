/**
 * The product's logs and metrics through Powertools: JSON lines, and metrics in CloudWatch's embedded metric format, which
 * needs no request and no permission. Only the metrics of the dashboard and the alarms are published, with the dimension
 * `service`, because each metric is billed.
 */
import { Logger as Powertools } from '@aws-lambda-powertools/logger'
import { Metrics as PowertoolsMetrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { Tracer } from '@aws-lambda-powertools/tracer'
import type { LogFields, Logger, Metrics } from 'siltstone/internal'

export const powertools = new Powertools()
export const publisher = new PowertoolsMetrics()
export const tracer = new Tracer()

const UNITS: Readonly<Record<string, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  CompactionDuration: MetricUnit.Milliseconds,
  DeltasProcessed: MetricUnit.Count,
  LockAcquisitionFailed: MetricUnit.Count,
  DeltaQueueDepth: MetricUnit.Count,
  SnapshotSize: MetricUnit.Bytes,
  CompactionErrors: MetricUnit.Count,
  compaction_without_progress: MetricUnit.Count,
  merge_cannot_fit: MetricUnit.Count,
  objects_done: MetricUnit.Count,
  objects_dead: MetricUnit.Count,
  registry_maintained: MetricUnit.Count,
}

export const log: Logger = {
  debug: (event, fields) => powertools.debug(event, extra(fields)),
  info: (event, fields) => powertools.info(event, extra(fields)),
  warn: (event, fields) => powertools.warn(event, extra(fields)),
  error: (event, fields) => powertools.error(event, extra(fields)),
}

/** Fields are nested under one name, so that they do not replace Powertools' own (`level`, `service`, …). */
function extra(fields: LogFields = {}): Record<string, unknown> {
  return { fields }
}

function publish(name: string, value: number): void {
  const unit = UNITS[name]
  if (unit !== undefined) publisher.addMetric(name, unit, value)
}

export const metrics: Metrics = {
  count: (name, amount = 1) => publish(name, amount),
  gauge: publish,
  observe: publish,
}
