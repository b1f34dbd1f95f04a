import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger, checkPattern, InvalidArgument } from '../errors.ts'
import { type Alarm, alarms, type Watched } from '../monitoring/alarms.ts'
import { dashboard } from '../monitoring/dashboard.ts'
import { stackNames } from '../names.ts'
import { alarmTopicPolicy } from '../policy/resource-policies.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'
import { MAINTAIN_HOURS } from './registry-function.ts'
import { MAX_INTERVAL_MINUTES } from './schedule.ts'

export interface MonitoringArgs extends CommonArgs {
  /** Names of watched resources that differ from those of the stack. */
  watched?: Partial<Omit<Watched, 'scheduleMinutes'>>
  /** Interval of the schedule; twice as long without a run raises an alarm. Default 15. */
  intervalMinutes?: number
  /** An existing topic for the alarms. Default: one is created. */
  alarmTopicArn?: pulumi.Input<string>
  /** Subscribed to the created topic; the recipient has to confirm. */
  email?: string
  /** Also watch what makes objects searchable. Default false. */
  objects?: boolean
  /** Also watch the queue of recordings. Default false. */
  media?: boolean
  /** Also watch the artifact registry, whose maintenance runs each so many hours. Default: there is none. */
  registry?: { maintainHours?: number }
  /** Other thresholds, by the alarm's id; null omits the alarm. */
  thresholds?: Record<string, number | null>
}

/**
 * Alarms and a dashboard.
 *
 * Outputs: `alarm_topic_arn`, `dashboard_name`, `alarm_names`.
 * @throws InvalidArgument
 */
export class Monitoring extends pulumi.ComponentResource {
  readonly alarmTopicArn: pulumi.Output<string>
  readonly dashboardName: pulumi.Output<string>
  readonly alarmNames: pulumi.Output<string>[]

  constructor(name: string, args: MonitoringArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:Monitoring', name, {}, opts)
    const { stack, tags } = common(args)
    const names = stackNames(stack)
    const watched: Watched = {
      queue: names.queue,
      deadLetterQueue: names.deadLetterQueue,
      ...names.functions,
      ...(args.objects === true && { ingest: names.ingest }),
      ...(args.media === true && { media: names.media }),
      ...(args.registry !== undefined && {
        registry: { function: names.registry.function, maintainHours: args.registry.maintainHours ?? MAINTAIN_HOURS },
      }),
      ...args.watched,
      scheduleMinutes: checkInteger('intervalMinutes', args.intervalMinutes ?? 15, 1, MAX_INTERVAL_MINUTES),
    }
    const wanted = chosen(alarms(watched), args.thresholds ?? {})
    const parent = { parent: this }
    const { account, region } = whereabouts(parent)
    this.alarmTopicArn = topic(name, names.alarmTopic, account, args, tags, parent)
    this.alarmNames = wanted.map(
      (alarm) =>
        new aws.cloudwatch.MetricAlarm(
          `${name}-${alarm.id}`,
          { name: `${names.alarmPrefix}${alarm.id}`, ...alarmArgs(alarm), ...actions(alarm, this.alarmTopicArn), tags },
          parent,
        ).name,
    )
    const board = new aws.cloudwatch.Dashboard(
      `${name}-dashboard`,
      {
        dashboardName: names.dashboard,
        dashboardBody: pulumi.jsonStringify(region.apply((each) => dashboard(watched, each, stack))),
      },
      parent,
    )
    this.dashboardName = board.dashboardName
    this.registerOutputs({
      alarm_topic_arn: this.alarmTopicArn,
      dashboard_name: this.dashboardName,
      alarm_names: this.alarmNames,
    })
  }
}

function chosen(all: readonly Alarm[], thresholds: Record<string, number | null>): Alarm[] {
  for (const id of Object.keys(thresholds)) {
    if (!all.some((alarm) => alarm.id === id)) {
      throw new InvalidArgument(
        'thresholds',
        id,
        `there is no such alarm; use ${all.map((alarm) => alarm.id).join(', ')}`,
      )
    }
  }
  return all.flatMap((alarm) => {
    const threshold = thresholds[alarm.id]
    return threshold === null ? [] : [{ ...alarm, threshold: threshold ?? alarm.threshold }]
  })
}

function topic(
  name: string,
  topicName: string,
  account: pulumi.Output<string>,
  args: MonitoringArgs,
  tags: Record<string, string>,
  parent: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  if (args.alarmTopicArn !== undefined) {
    if (args.email !== undefined) {
      throw new InvalidArgument('email', args.email, 'subscribe it to your topic, or omit alarmTopicArn')
    }
    return pulumi.output(args.alarmTopicArn)
  }
  if (args.email !== undefined) checkPattern('email', args.email, /^[^@\s]+@[^@\s]+$/, 'use an e-mail address')
  const made = new aws.sns.Topic(`${name}-alarms`, { name: topicName, tags }, parent)
  new aws.sns.TopicPolicy(
    `${name}-alarms-policy`,
    {
      arn: made.arn,
      policy: policyText(pulumi.all([made.arn, account]).apply(([arn, id]) => alarmTopicPolicy(arn, id))),
    },
    parent,
  )
  if (args.email !== undefined) {
    new aws.sns.TopicSubscription(
      `${name}-alarms-email`,
      { topic: made.arn, protocol: 'email', endpoint: args.email },
      parent,
    )
  }
  return made.arn
}

/** Both the alarm and its end are told; the end also shows, after the first deployment, that the topic arrives. */
function actions({ onSilence }: Alarm, topicArn: pulumi.Output<string>) {
  return {
    okActions: [topicArn],
    ...(onSilence ? { insufficientDataActions: [topicArn] } : { alarmActions: [topicArn] }),
  }
}

const isPercentile = (statistic: string) => /^p\d/.test(statistic)

function alarmArgs(alarm: Alarm): aws.cloudwatch.MetricAlarmArgs {
  const shared = {
    alarmDescription: `${alarm.meaning}. ${alarm.action}.`,
    comparisonOperator: alarm.comparison,
    evaluationPeriods: alarm.evaluationPeriods,
    threshold: alarm.threshold,
    treatMissingData: alarm.onSilence ? 'missing' : 'notBreaching',
  }
  const [first] = alarm.terms
  if (alarm.terms.length === 1 && first !== undefined && 'metric' in first) {
    return {
      ...shared,
      namespace: first.metric.namespace,
      metricName: first.metric.name,
      dimensions: { ...first.metric.dimensions },
      period: alarm.periodSeconds,
      ...(isPercentile(first.statistic) ? { extendedStatistic: first.statistic } : { statistic: first.statistic }),
    }
  }
  return {
    ...shared,
    metricQueries: alarm.terms.map((term, at) =>
      'metric' in term
        ? {
            id: term.id,
            metric: {
              namespace: term.metric.namespace,
              metricName: term.metric.name,
              dimensions: { ...term.metric.dimensions },
              period: alarm.periodSeconds,
              stat: term.statistic,
            },
          }
        : { id: term.id, expression: term.expression, returnData: at === alarm.terms.length - 1, label: alarm.id },
    ),
  }
}
