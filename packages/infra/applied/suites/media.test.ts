/**
 * Recordings on the deployed stack. The server runs no images and no containers: the function gets the bundle of the image as a zip (see
 * `provider/compute.ts`), and a task that the server was asked for is run here, as a plain process with the variables of its definition, the
 * credentials of its role and the object that it was started for.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeTaskDefinitionCommand, DescribeTasksCommand, ListTasksCommand, type Task } from '@aws-sdk/client-ecs'
import { CreatePolicyVersionCommand, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { EVERYTHING } from '../../test/support/iam.ts'
import { type Account, deployed, functionsAreBuilt, REGION } from '../account.ts'
import { BUILT } from '../built.ts'
import { DeployedStack, until } from '../stack.ts'

const { path: ffmpeg } = createRequire(import.meta.resolve('@siltstone/processors'))('@ffmpeg-installer/ffmpeg') as {
  path: string
}
const MB = 1024 * 1024

let account: Account
let stack: DeployedStack
let Bucket: string
let folder: string
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  folder = mkdtempSync(join(tmpdir(), 'siltstone-applied-media-'))
  // The functions inherit the server's environment.
  process.env['SILTSTONE_FFMPEG'] = ffmpeg
  const { registry: _, registryAdminPassword: __, objectsTranscribe: ___, ...config } = EVERYTHING.config
  account = await deployed('dev', { ...config, objectsTaskAboveMb: '1' })
  stack = new DeployedStack(account)
  Bucket = stack.output('object_bucket_name')
  await allowWhatTheServerAsksFor()
})
afterAll(async () => {
  delete process.env['SILTSTONE_FFMPEG']
  rmSync(folder, { recursive: true, force: true })
  await account.stop()
})

/** The server requires actions that IAM does not have for batches of messages, and RunTask on the cluster instead of the definition. */
async function allowWhatTheServerAsksFor(): Promise<void> {
  const { iam } = account.root
  const extra = {
    Effect: 'Allow',
    Action: ['sqs:SendMessageBatch', 'sqs:ChangeMessageVisibilityBatch', 'ecs:RunTask'],
    Resource: ['*'],
  }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [extra] })
  for (const RoleName of ['siltstone-dev-ingest', 'siltstone-dev-media', 'siltstone-dev-media-task'])
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'emulated', PolicyDocument }))
  const boundary = account.admin.resources.find(({ name }) => name === 'deploy-boundary')
  const declared = JSON.parse(String(boundary?.inputs['policy'])) as { Statement: unknown[] }
  await iam.send(
    new CreatePolicyVersionCommand({
      PolicyArn: String(account.admin.outputs['permissions_boundary_arn']),
      PolicyDocument: JSON.stringify({ ...declared, Statement: [...declared.Statement, extra] }),
      SetAsDefault: true,
    }),
  )
}

/** A video of two scenes, with free space at its end until it has that size. */
async function video(leastBytes: number): Promise<Uint8Array> {
  const file = join(folder, `${leastBytes}.mp4`)
  const scene = (source: string) => ['-f', 'lavfi', '-i', `${source}=size=160x90:rate=10:duration=3`]
  const sources = [...scene('smptebars'), ...scene('testsrc')]
  const joined = ['-filter_complex', '[0:v][1:v]concat=n=2:v=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p']
  await run(ffmpeg, ['-v', 'error', ...sources, ...joined, file], process.env)
  const made = readFileSync(file)
  const freeBytes = Math.max(8, leastBytes - made.length)
  const free = Buffer.alloc(freeBytes)
  free.writeUInt32BE(freeBytes, 0)
  free.write('free', 4, 'latin1')
  return Buffer.concat([made, free])
}

async function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output.slice(-4_000)}`)
}

const put = async (Key: string, leastBytes: number) =>
  account.root.s3.send(new PutObjectCommand({ Bucket, Key, Body: await video(leastBytes) }))

interface State {
  progress: string
  attempt: number
  run: number
  records: number
  steps: Record<string, { state: string; records?: number }>
  handOver: { tier: string; recipient: string | null } | null
}

async function stateOf(key: string): Promise<State | undefined> {
  const hash = createHash('sha256').update(key).digest('hex')
  const Key = `objects/${Bucket}/${hash.slice(0, 2)}/${hash}.json`
  try {
    const got = await account.root.s3.send(new GetObjectCommand({ Bucket: stack.output('bucket_name'), Key }))
    return (JSON.parse((await got.Body?.transformToString()) ?? '') as { body: State }).body
  } catch {
    return undefined
  }
}

async function tasks(): Promise<Task[]> {
  const { ecs } = account.root
  const cluster = 'siltstone-dev-media'
  const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster }))
  if (taskArns.length === 0) return []
  return (await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }))).tasks ?? []
}

/** What ECS would do: the image's entry point with the variables of the definition, those of the task, and the role of the task. */
async function runTask({ taskDefinitionArn, overrides }: Task): Promise<void> {
  const { root, server } = account
  const { taskDefinition } = await root.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: taskDefinitionArn ?? '' }),
  )
  const container = taskDefinition?.containerDefinitions?.[0]
  const own = overrides?.containerOverrides?.find(({ name }) => name === container?.name)
  const variables = [...(container?.environment ?? []), ...(own?.environment ?? [])]
  const RoleArn = taskDefinition?.taskRoleArn ?? ''
  // The role trusts ECS alone; here the administrator takes its place.
  const trust = { Effect: 'Allow', Principal: { AWS: RoleArn.replace(/:role.*/, ':root') }, Action: 'sts:AssumeRole' }
  await root.iam.send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: RoleArn.split('/').at(-1) ?? '',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    }),
  )
  const { Credentials: given } = await root.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'task' }))
  await run(process.execPath, [join(BUILT, 'media/index.mjs')], {
    ...Object.fromEntries(variables.map(({ name, value }) => [name ?? '', value])),
    NODE_PATH: join(BUILT, 'layer/nodejs/node_modules'),
    NODE_EXTRA_CA_CERTS: server.certificateFile,
    SILTSTONE_FFMPEG: ffmpeg,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: given?.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: given?.SecretAccessKey,
    AWS_SESSION_TOKEN: given?.SessionToken,
  })
}

it('a video goes from the function for documents to the one with ffmpeg, and becomes scenes', async () => {
  await put('uploads/talk.mp4', 0)
  await until('done', async () => (await stateOf('uploads/talk.mp4'))?.progress === 'done', 120_000)
  expect(await stateOf('uploads/talk.mp4')).toMatchObject({
    attempt: 1,
    // One claim found where it belongs, the other did the work.
    run: 2,
    handOver: null,
    steps: { container: { state: 'done' }, scenes: { state: 'done', records: 2 } },
  })
  expect(await tasks()).toEqual([])
}, 300_000)

it('a large one goes to a task that is started once, and is done when that has run', async () => {
  await put('uploads/lecture.mp4', 1.5 * MB)
  await until('a task', async () => (await tasks()).length > 0, 120_000)
  await until('the task in the state', async () => (await stateOf('uploads/lecture.mp4'))?.handOver?.recipient != null)
  const [task, ...others] = await tasks()
  expect(others).toEqual([])
  expect(task).toMatchObject({ launchType: 'FARGATE', startedBy: 'siltstone' })
  expect(await stateOf('uploads/lecture.mp4')).toMatchObject({
    progress: 'queued',
    attempt: 1,
    handOver: { tier: 'task', recipient: task?.taskArn },
  })
  // Told again, it is left alone: it is in the hands of the task.
  await account.root.s3.send(new PutObjectCommand({ Bucket, Key: 'uploads/other.txt', Body: 'Silt settles.' }))
  await stack.invoke('ingest', { source: 'scheduled', action: 'sweep' })
  await until('the other', async () => (await stateOf('uploads/other.txt'))?.progress === 'done')
  expect(await tasks()).toHaveLength(1)
  await runTask(task as Task)
  expect(await stateOf('uploads/lecture.mp4')).toMatchObject({
    progress: 'done',
    attempt: 1,
    handOver: null,
    steps: { scenes: { state: 'done', records: 2 } },
  })
  const [collection] = (await stack.ok<{ id: string; name: string }[]>('api', 'GET', '')).filter(
    ({ name }) => name === 'objects',
  )
  const found = await stack.ok<{ ids: string[] }>('query', 'POST', `/${collection?.id ?? ''}/get`, {
    where: { object_key: 'uploads/lecture.mp4' },
  })
  expect(found.ids).toHaveLength((await stateOf('uploads/lecture.mp4'))?.records ?? 0)
}, 300_000)

it('no role was refused', () => {
  const refused = account.server
    .log()
    .split('\n')
    .filter((line) => line.includes('AccessDenied') || line.includes('not authorized'))
  expect(refused).toEqual([])
})
