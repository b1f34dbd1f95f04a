import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger } from '../errors.ts'
import { stackNames } from '../names.ts'
import { schedulePolicy } from '../policy/roles.ts'
import { schedulerTrust } from '../policy/trust.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'

/** The event with which the schedule starts the compactor. */
export const SCHEDULED_EVENT = { source: 'scheduled', action: 'compact' } as const

/** One day: garbage collection and the alarm for a schedule that does not run count on a run a day. */
export const MAX_INTERVAL_MINUTES = 1_440

export interface ScheduleArgs extends CommonArgs {
  compactorArn: pulumi.Input<string>
  /** Default 15. */
  intervalMinutes?: number
  permissionsBoundaryArn?: pulumi.Input<string>
}

/**
 * Runs the compactor at intervals: it finds writes that no message announced, and collects garbage. An idle store costs
 * one listing per run.
 *
 * Outputs: `schedule_name`, `schedule_arn`.
 * @throws InvalidArgument
 */
export class Schedule extends pulumi.ComponentResource {
  readonly scheduleName: pulumi.Output<string>
  readonly scheduleArn: pulumi.Output<string>

  constructor(name: string, args: ScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:Schedule', name, {}, opts)
    const { stack, tags } = common(args)
    const names = stackNames(stack)
    const minutes = checkInteger('intervalMinutes', args.intervalMinutes ?? 15, 1, MAX_INTERVAL_MINUTES)
    const parent = { parent: this }
    const { account } = whereabouts(parent)
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: names.scheduleRole,
        description: `Lets the schedule of ${stack} run the compactor`,
        assumeRolePolicy: policyText(account.apply(schedulerTrust)),
        ...(args.permissionsBoundaryArn !== undefined && { permissionsBoundary: args.permissionsBoundaryArn }),
        tags,
      },
      parent,
    )
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { name: 'schedule', role: role.name, policy: policyText(pulumi.output(args.compactorArn).apply(schedulePolicy)) },
      parent,
    )
    const schedule = new aws.scheduler.Schedule(
      `${name}-schedule`,
      {
        name: names.schedule,
        description: 'Siltstone: folds writes that no message announced, and collects garbage',
        scheduleExpression: `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: args.compactorArn,
          roleArn: role.arn,
          input: JSON.stringify(SCHEDULED_EVENT),
          // The next run does the work of a failed one; so does the function's own setting (`Functions`).
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
        },
      },
      { ...parent, dependsOn: [policy] },
    )
    this.scheduleName = schedule.name
    this.scheduleArn = schedule.arn
    this.registerOutputs({ schedule_name: this.scheduleName, schedule_arn: this.scheduleArn })
  }
}
