/** An alarm or widget on a metric that is never emitted stays silent, so each one is compared with the emitters. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { AWS_METRICS, PRODUCT_DIMENSION, PRODUCT_METRICS } from '../src/monitoring/metrics.ts'
import type { Resource, Run } from '../src/testing/index.ts'
import { alone, type Alone } from './support/alone.ts'
import { EVERYTHING } from './support/iam.ts'
import { all, only, run } from './support/program.ts'

const PACKAGES = fileURLToPath(new URL('../../', import.meta.url))
const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm'

interface Seen {
  where: string
  namespace: string
  name: string
  dimensions: Record<string, string>
}

function ofAlarm({ name, inputs }: Resource): Seen[] {
  interface Query {
    metric?: { namespace: string; metricName: string; dimensions: Record<string, string> }
  }
  const single = inputs['metricName'] === undefined ? [] : [inputs as unknown as NonNullable<Query['metric']>]
  const queries = ((inputs['metricQueries'] ?? []) as Query[]).flatMap(({ metric }) => (metric ? [metric] : []))
  return [...single, ...queries].map(({ namespace, metricName, dimensions }) => ({
    where: name,
    namespace,
    name: metricName,
    dimensions,
  }))
}

function ofDashboard({ name, inputs }: Resource): Seen[] {
  const { widgets } = JSON.parse(String(inputs['dashboardBody'])) as {
    widgets: { properties: { metrics?: (string | object)[][] } }[]
  }
  return widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .map((row) => {
      const [namespace = '', metric = '', ...pairs] = row.filter((each) => typeof each === 'string')
      const dimensions: Record<string, string> = {}
      for (let at = 0; at + 1 < pairs.length; at += 2) dimensions[String(pairs[at])] = String(pairs[at + 1])
      return { where: name, namespace, name: metric, dimensions }
    })
}

/** Names of the metrics that the product counts, observes or sets, from its source. */
function emitted(): Set<string> {
  const files = globSync('{siltstone,objects,functions}/src/**/*.ts', { cwd: PACKAGES }).filter(
    (file) => !/\.(test|contract)\.ts$/.test(file),
  )
  const calls = /metrics\.(?:count|observe|gauge)\(\s*'(\w+)'/g
  return new Set(
    files.flatMap((file) =>
      [...readFileSync(join(PACKAGES, file), 'utf8').matchAll(calls)].map(([, name]) => name ?? ''),
    ),
  )
}

describe('alarms and dashboard of the program', () => {
  let made: Run
  let seen: Seen[]
  beforeAll(async () => {
    made = await run({ stack: 'prod', ...EVERYTHING })
    const board = only(made.resources, 'aws:cloudwatch/dashboard:Dashboard')
    seen = [...all(made.resources, ALARM).flatMap(ofAlarm), ...ofDashboard(board)]
  })

  it('use product metrics that the product emits', () => {
    const names = emitted()
    expect(PRODUCT_METRICS.filter((name) => !names.has(name))).toEqual([])
    const own = seen.filter(({ namespace }) => namespace === 'ChromaDB/Compaction')
    expect(own.length).toBeGreaterThan(8)
    for (const { where, name } of own) expect(PRODUCT_METRICS, where).toContain(name)
  })

  it('show or watch every product metric', () => {
    expect(PRODUCT_METRICS.filter((name) => !seen.some((each) => each.name === name))).toEqual([])
  })

  it('use the namespace and dimension with which the functions emit', () => {
    const variablesOf = (name: string) => {
      const { environment } = only(made.resources, 'aws:lambda/function:Function', name).inputs
      return (environment as { variables: Record<string, string> }).variables
    }
    const compactor = variablesOf('functions-compactor')
    const ingest = variablesOf('ingest-worker-function')
    const registry = variablesOf('registry-function')
    for (const { where, namespace, name, dimensions } of seen) {
      if (namespace.startsWith('AWS/')) continue
      const variables = name.startsWith('objects_') ? ingest : name.startsWith('registry_') ? registry : compactor
      expect(namespace, where).toBe(variables['POWERTOOLS_METRICS_NAMESPACE'])
      expect(dimensions, where).toEqual({ [PRODUCT_DIMENSION]: variables['POWERTOOLS_SERVICE_NAME'] })
    }
  })

  it('use metrics of AWS that exist, of resources that the program creates', () => {
    const names: Record<string, unknown[]> = {
      FunctionName: all(made.resources, 'aws:lambda/function:Function').map(({ inputs }) => inputs['name']),
      QueueName: all(made.resources, 'aws:sqs/queue:Queue').map(({ inputs }) => inputs['name']),
    }
    for (const { where, namespace, name, dimensions } of seen) {
      if (!namespace.startsWith('AWS/')) continue
      expect(Object.keys(dimensions).toSorted(), where).toEqual(AWS_METRICS[namespace]?.[name]?.toSorted())
      for (const [dimension, value] of Object.entries(dimensions)) expect(names[dimension], where).toContain(value)
    }
  })

  it('notify the topic, and use only terms that they define', () => {
    const topic = only(made.resources, 'aws:sns/topic:Topic').state['arn']
    for (const { name, inputs } of all(made.resources, ALARM)) {
      expect(inputs['alarmActions'] ?? inputs['insufficientDataActions'], name).toEqual([topic])
      const queries = (inputs['metricQueries'] ?? []) as { id: string; expression?: string; returnData?: boolean }[]
      if (queries.length === 0) continue
      expect(queries.filter(({ returnData }) => returnData === true).length, name).toBe(1)
      const ids = new Set(queries.map(({ id }) => id))
      for (const { expression = '' } of queries) {
        const used = expression.match(/\b[a-z]\w*\b/g) ?? []
        expect(
          used.filter((each) => !ids.has(each)),
          `${name}: ${expression}`,
        ).toEqual([])
      }
    }
  })

  it('measure in periods that CloudWatch supports', () => {
    for (const { name, inputs } of all(made.resources, ALARM)) {
      const queries = (inputs['metricQueries'] ?? []) as { metric?: { period: number } }[]
      const periods = [inputs['period'], ...queries.map(({ metric }) => metric?.period)].filter(
        (each) => each !== undefined,
      )
      for (const period of periods as number[]) {
        expect(period % 60, name).toBe(0)
        // At most one week for periods of an hour or more, one day for shorter ones.
        expect(period * Number(inputs['evaluationPeriods']), name).toBeLessThanOrEqual(
          period >= 3_600 ? 604_800 : 86_400,
        )
      }
    }
  })

  it('alarm when a person has to act, say what to do, and report the end', () => {
    const at = (id: string) => only(made.resources, ALARM, `monitoring-${id}`).inputs
    expect(at('delta-accumulation')).toMatchObject({ statistic: 'Minimum', threshold: 1_000, evaluationPeriods: 6 })
    expect(at('compaction-errors')).toMatchObject({ threshold: 1, period: 900, evaluationPeriods: 3 })
    expect(at('producer-errors')).toMatchObject({ threshold: 1 })
    expect(at('dead-letters')).toMatchObject({ threshold: 0 })
    const topic = only(made.resources, 'aws:sns/topic:Topic').state['arn']
    for (const { name, inputs } of all(made.resources, ALARM)) {
      expect(String(inputs['alarmDescription']), name).toMatch(/^.+\. (?:Run|Read|Raise|Check|Find) .+\.$/)
      expect(String(inputs['alarmDescription']).length, name).toBeLessThanOrEqual(1_024)
      expect(inputs['okActions'], name).toEqual([topic])
    }
  })

  it('do not alarm at the first deployment, and see a schedule that stops', () => {
    for (const { name, inputs } of all(made.resources, ALARM)) {
      // A new alarm begins as INSUFFICIENT_DATA; with missing data as a breach it would turn to ALARM at once.
      expect(inputs['treatMissingData'], name).not.toBe('breaching')
    }
    const topic = only(made.resources, 'aws:sns/topic:Topic').state['arn']
    const silent = only(made.resources, ALARM, 'monitoring-compactor-silent').inputs
    expect(silent).toMatchObject({ treatMissingData: 'missing', insufficientDataActions: [topic], period: 1_800 })
    const unmaintained = only(made.resources, ALARM, 'monitoring-registry-maintenance').inputs
    const twoDays = { period: 86_400, evaluationPeriods: 2 }
    expect(unmaintained).toMatchObject({ treatMissingData: 'missing', insufficientDataActions: [topic], ...twoDays })
  })

  it('take a busy fold for an alarm only while nothing is completed, and a busy merge never', () => {
    const { inputs } = only(made.resources, ALARM, 'monitoring-lock-contention')
    const { expression } = (inputs['metricQueries'] as { expression?: string }[]).at(-1) ?? {}
    expect(expression).toBe('IF(FILL(done, 0) < 1, FILL(busy, 0), 0)')
    // Longer than any holder can live.
    expect(Number(inputs['evaluationPeriods']) * 300).toBeGreaterThan(900)
  })

  it('draw a dashboard that fits', () => {
    const { inputs } = only(made.resources, 'aws:cloudwatch/dashboard:Dashboard')
    const { widgets } = JSON.parse(String(inputs['dashboardBody'])) as {
      widgets: { x: number; y: number; width: number; height: number }[]
    }
    const cells = new Set<string>()
    for (const { x, y, width, height } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24)
      for (let row = y; row < y + height; row++) {
        for (let column = x; column < x + width; column++) {
          expect(cells.has(`${row} ${column}`), 'two widgets in one place').toBe(false)
          cells.add(`${row} ${column}`)
        }
      }
    }
  })
})

describe('Monitoring alone', () => {
  it('looks as far back as CloudWatch can for maintenance that runs seldom', async () => {
    const { resources } = await alone('Monitoring', { environment: 'dev', registry: { maintainHours: 168 } })
    expect(only(resources, ALARM, 'alone-registry-maintenance').inputs).toMatchObject({ evaluationPeriods: 7 })
  })

  let made: Alone
  beforeAll(async () => {
    made = await alone('Monitoring', {
      environment: 'dev',
      watched: { compactor: 'my-function' },
      thresholds: { 'dead-letters': 50, 'compaction-storm': null },
      intervalMinutes: 1_440,
      email: 'ops@example.com',
    })
  })

  it('watches other names, with other thresholds, and leaves out what is not wanted', () => {
    expect(only(made.resources, ALARM, 'alone-dead-letters').inputs).toMatchObject({ threshold: 50 })
    const errors = only(made.resources, ALARM, 'alone-compaction-errors')
    expect(errors.inputs).toMatchObject({ period: 86_400, dimensions: { service: 'my-function' } })
    expect(all(made.resources, ALARM).map(({ name }) => name)).not.toContain('alone-compaction-storm')
  })

  it('subscribes the address', () => {
    expect(only(made.resources, 'aws:sns/topicSubscription:TopicSubscription').inputs).toMatchObject({
      protocol: 'email',
      endpoint: 'ops@example.com',
    })
  })

  it('puts out topic, dashboard and alarms', () => {
    expect(made.component.outputs).toMatchObject({
      alarm_topic_arn: 'arn:aws:sns:us-east-1:111122223333:siltstone-dev-alarms',
      dashboard_name: 'ChromaDB-dev',
    })
    expect((made.component.outputs['alarm_names'] as string[]).length).toBe(all(made.resources, ALARM).length)
  })
})
