import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger } from '../errors.ts'
import { schedulePolicy } from '../policy/roles.ts'
import { schedulerTrust } from '../policy/trust.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'

/** A week. */
const MAX_HOURS = 168

export interface HourlyArgs extends CommonArgs {
  permissionsBoundaryArn?: pulumi.Input<string>
}

export interface Hourly {
  /** Of the schedule and of its role. */
  names: { schedule: string; scheduleRole: string }
  functionArn: pulumi.Output<string>
  /** Hours between two runs, and the argument that gives them. */
  hours: number
  field: string
  /** Of the role and of the schedule, for people. */
  purpose: string
  description: string
  event: object
}

/**
 * Invokes a function each few hours, in a role of its own. A run that fails is not repeated: the next one does its work.
 * @returns the schedule's name
 * @throws InvalidArgument
 */
export function createHourly(
  name: string,
  args: HourlyArgs,
  { names, functionArn, hours, field, purpose, description, event }: Hourly,
  component: pulumi.Resource,
): pulumi.Output<string> {
  const { stack, tags } = common(args)
  checkInteger(field, hours, 1, MAX_HOURS)
  const parent = { parent: component }
  const { account } = whereabouts(parent)
  const role = new aws.iam.Role(
    `${name}-schedule-role`,
    {
      name: names.scheduleRole,
      description: `Lets the schedule of ${stack} start ${purpose}`,
      assumeRolePolicy: policyText(account.apply(schedulerTrust)),
      ...(args.permissionsBoundaryArn !== undefined && { permissionsBoundary: args.permissionsBoundaryArn }),
      tags,
    },
    parent,
  )
  const policy = new aws.iam.RolePolicy(
    `${name}-schedule-policy`,
    { name: 'schedule', role: role.name, policy: policyText(functionArn.apply(schedulePolicy)) },
    parent,
  )
  return new aws.scheduler.Schedule(
    `${name}-schedule`,
    {
      name: names.schedule,
      description: `Siltstone: ${description}`,
      scheduleExpression: `rate(${hours} ${hours === 1 ? 'hour' : 'hours'})`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: functionArn,
        roleArn: role.arn,
        input: JSON.stringify(event),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    },
    { ...parent, dependsOn: [policy] },
  ).name
}
