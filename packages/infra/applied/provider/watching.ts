import {
  type ComparisonOperator,
  type Dimension,
  type MetricDataQuery,
  PutDashboardCommand,
  PutMetricAlarmCommand,
  type Statistic,
} from '@aws-sdk/client-cloudwatch'
import { type Maker, optionalText, tagList, text } from './inputs.ts'

const dimensions = (map: unknown): Dimension[] =>
  Object.entries((map ?? {}) as Record<string, string>).map(([Name, Value]) => ({ Name, Value }))

interface Query {
  id: string
  expression?: string
  label?: string
  returnData?: boolean
  metric?: { namespace: string; metricName: string; dimensions: unknown; period: number; stat: string }
}

const query = ({ id, expression, label, returnData, metric }: Query): MetricDataQuery => ({
  Id: id,
  ...(expression !== undefined && { Expression: expression }),
  ...(label !== undefined && { Label: label }),
  ReturnData: returnData ?? false,
  ...(metric !== undefined && {
    MetricStat: {
      Metric: {
        Namespace: metric.namespace,
        MetricName: metric.metricName,
        Dimensions: dimensions(metric.dimensions),
      },
      Period: metric.period,
      Stat: metric.stat,
    },
  }),
})

export const WATCHING: Readonly<Record<string, Maker>> = {
  'aws:cloudwatch/metricAlarm:MetricAlarm': async (inputs, { cloudwatch }) => {
    const AlarmName = text(inputs, 'name')
    const queries = inputs['metricQueries'] as Query[] | undefined
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        AlarmDescription: optionalText(inputs, 'alarmDescription'),
        AlarmActions: inputs['alarmActions'] as string[],
        ComparisonOperator: text(inputs, 'comparisonOperator') as ComparisonOperator,
        EvaluationPeriods: Number(inputs['evaluationPeriods']),
        Threshold: Number(inputs['threshold']),
        TreatMissingData: text(inputs, 'treatMissingData'),
        Tags: tagList(inputs),
        ...(queries === undefined
          ? {
              Namespace: text(inputs, 'namespace'),
              MetricName: text(inputs, 'metricName'),
              Dimensions: dimensions(inputs['dimensions']),
              Period: Number(inputs['period']),
              Statistic: optionalText(inputs, 'statistic') as Statistic | undefined,
              ExtendedStatistic: optionalText(inputs, 'extendedStatistic'),
            }
          : { Metrics: queries.map(query) }),
      }),
    )
    return { id: AlarmName, state: {} }
  },
  'aws:cloudwatch/dashboard:Dashboard': async (inputs, { cloudwatch }) => {
    const DashboardName = text(inputs, 'dashboardName')
    const { DashboardValidationMessages = [] } = await cloudwatch.send(
      new PutDashboardCommand({ DashboardName, DashboardBody: text(inputs, 'dashboardBody') }),
    )
    if (DashboardValidationMessages.length > 0) throw new Error(JSON.stringify(DashboardValidationMessages))
    return { id: DashboardName, state: {} }
  },
}
