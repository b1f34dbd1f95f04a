/** Whom a function or a task hands objects over to: the queue of recordings, and tasks of ECS, each started for one object. */
import { changeEvent, type HandOverOptions, type Recipient, type Tier, TIERS } from '@siltstone/objects/ingest'
import { invalid, unavailable } from 'siltstone/internal'
import { openSqsQueue } from 'siltstone/internal/aws'
import type { Variables } from './settings.ts'

export interface TaskSettings {
  cluster: string
  /** Family, or ARN. */
  taskDefinition: string
  /** Of the task definition. */
  container: string
  subnets: string[]
  securityGroups: string[]
  /** Whether a task has an address of its own, as it needs in a subnet without a way to AWS of another kind. */
  assignPublicIp: boolean
}

/** What is used of `@aws-sdk/client-ecs`. */
export interface Ecs {
  runTask(input: object): Promise<{ tasks?: { taskArn?: string }[]; failures?: { arn?: string; reason?: string }[] }>
}

/** The variable that names the object of a task. */
export const KEY_VARIABLE = 'SILTSTONE_OBJECTS_KEY'
const MB = 1024 * 1024

type QueueParts = NonNullable<Parameters<typeof openSqsQueue>[1]>

/**
 * `SILTSTONE_OBJECTS_TIER` is this process' own tier (`function`), `SILTSTONE_OBJECTS_MEDIA_QUEUE_URL` the queue of the functions with
 * ffmpeg, `SILTSTONE_OBJECTS_TASK` JSON of `TaskSettings`, `SILTSTONE_OBJECTS_TASK_ABOVE_MB` the size above which recordings begin there.
 * @returns undefined where there is nobody to hand over to
 * @throws SiltstoneError `invalid` (bad-tier, bad-task)
 */
export function handOverOf(
  variables: Variables,
  parts: QueueParts,
  ecs: () => Promise<Ecs> = connectEcs,
): HandOverOptions | undefined {
  const set = (name: string): string | undefined => variables[name] || undefined
  const queueUrl = set('SILTSTONE_OBJECTS_MEDIA_QUEUE_URL')
  const task = set('SILTSTONE_OBJECTS_TASK')
  const aboveMb = set('SILTSTONE_OBJECTS_TASK_ABOVE_MB')
  const own = tierOf(set('SILTSTONE_OBJECTS_TIER') ?? 'function')
  if (queueUrl === undefined && task === undefined) return undefined
  return {
    own,
    recipients: {
      ...(queueUrl !== undefined && { media: queueRecipient(queueUrl, parts) }),
      ...(task !== undefined && { task: taskRecipient(taskSettings(task), ecs) }),
    },
    ...(aboveMb !== undefined && { taskAboveBytes: Number(aboveMb) * MB }),
  }
}

function tierOf(text: string): Tier {
  const tier = TIERS.find((one) => one === text)
  if (tier !== undefined) return tier
  throw invalid('bad-tier', `SILTSTONE_OBJECTS_TIER is ${JSON.stringify(text)}; give ${TIERS.join(', ')}`, {
    field: 'SILTSTONE_OBJECTS_TIER',
  })
}

function queueRecipient(url: string, parts: QueueParts): Recipient {
  const queue = openSqsQueue(url, parts)
  return async ({ bucket, key }) => {
    await queue.send(changeEvent({ bucket, key }))
    return undefined
  }
}

/** ECS starts one task for repetitions of one id. */
export function taskRecipient(settings: TaskSettings, ecs: () => Promise<Ecs> = connectEcs): Recipient {
  const { cluster, taskDefinition, container, subnets, securityGroups, assignPublicIp } = settings
  return async ({ key, id }) => {
    const { tasks = [], failures = [] } = await (await ecs()).runTask({
      cluster,
      taskDefinition,
      launchType: 'FARGATE',
      count: 1,
      clientToken: id,
      startedBy: 'siltstone',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets,
          ...(securityGroups.length > 0 && { securityGroups }),
          assignPublicIp: assignPublicIp ? 'ENABLED' : 'DISABLED',
        },
      },
      overrides: { containerOverrides: [{ name: container, environment: [{ name: KEY_VARIABLE, value: key }] }] },
    })
    // A cluster without room answers 200.
    const started = tasks[0]?.taskArn
    if (started !== undefined) return started
    const reasons = failures.map(({ reason }) => reason).join(', ')
    throw unavailable(
      'task-not-started',
      `ECS started no task of ${taskDefinition}: ${reasons || 'it gave no reason'}.`,
    )
  }
}

function taskSettings(text: string): TaskSettings {
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  const areTexts = (value: unknown) => Array.isArray(value) && value.every(isText)
  let value: Partial<TaskSettings> | null = null
  try {
    value = JSON.parse(text) as Partial<TaskSettings> | null
  } catch {
    // Refused below, as other texts that are no settings.
  }
  const isValid =
    value !== null &&
    [value.cluster, value.taskDefinition, value.container].every(isText) &&
    [value.subnets, value.securityGroups].every(areTexts) &&
    typeof value.assignPublicIp === 'boolean'
  if (isValid) return value as TaskSettings
  throw invalid(
    'bad-task',
    'SILTSTONE_OBJECTS_TASK is no task: give {"cluster", "taskDefinition", "container", "subnets": [], "securityGroups": [], "assignPublicIp": false}',
    { field: 'SILTSTONE_OBJECTS_TASK' },
  )
}

let connected: Promise<Ecs> | undefined

/** @throws as the SDK's client does */
function connectEcs(): Promise<Ecs> {
  connected ??= (async () => {
    // oxlint-disable-next-line no-restricted-imports -- the functions are the host: nothing else starts tasks
    const { ECSClient, RunTaskCommand } = await import('@aws-sdk/client-ecs')
    const client = new ECSClient({})
    return {
      runTask: async (input) =>
        client.send(new RunTaskCommand(input as ConstructorParameters<typeof RunTaskCommand>[0])) as ReturnType<
          Ecs['runTask']
        >,
    }
  })()
  return connected
}
