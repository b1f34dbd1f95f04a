import type { Command } from 'commander'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { fileInfo } from '../../host/files.ts'
import { schemeAt } from '../../drivers/open-environment.ts'
import { processId, setExitCode } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { command } from '../command.ts'
import { checkAws } from '../doctor/aws.ts'
import { type Check, fail, warn } from '../doctor/check.ts'
import { checkDirectory, checkDisk, checkFileSystemKind, checkNode, checkSplit } from '../doctor/machine.ts'
import { checkObjectBuckets, type ObjectBucketsOptions } from '../doctor/object-buckets.ts'
import { checkObjects } from '../doctor/objects.ts'
import { checkCollections, checkLeases, checkLogs, checkQueue, checkTimes } from '../doctor/store.ts'
import { plural } from '../format.ts'
import { Output } from '../output.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function doctorCommand(): Command {
  const made = command('doctor', 'find problems of a store and its machine', [
    'doctor',
    'doctor --data ./data --json',
    'doctor --data s3://my-store/records --objects-bucket my-uploads --objects-queue https://sqs.eu-west-1.amazonaws.com/111122223333/uploads',
  ])
  return withStoreOptions(made)
    .option('--redrive', 'move wake-up messages from the dead-letter queue back to the queue')
    .option('--objects-bucket <names...>', 'with a store in a bucket: also check these buckets of objects')
    .option('--objects-queue <url>', 'the SQS queue that the notifications of these buckets go to')
    .addHelpText('after', '\nExits with 1 when a check fails. "siltstone verify" checks the data itself.')
    .action(async (options: DoctorOptions) => {
      const out = new Output(options)
      const checks = await examine(options)
      await out.answer(checks, () => checks.map(checkText).join('') + summary(checks))
      if (checks.some(({ verdict }) => verdict === 'fail')) setExitCode(1)
    })
}

type DoctorOptions = CommonOptions & ObjectBucketsOptions & { redrive?: boolean }

const REMEDIES: Record<string, string> = {
  'coordination-damaged': 'Nothing else is lost; "siltstone verify" then checks the records.',
}

async function examine(options: DoctorOptions): Promise<Check[]> {
  const { objectsBucket, objectsQueue, data } = options
  const ofObjects = objectsBucket !== undefined || objectsQueue !== undefined
  if (ofObjects && schemeAt(data) !== 's3')
    throw invalid(
      'objects-place',
      `--objects-bucket and --objects-queue are for a store in a bucket, and ${data} is none: the objects of a directory are checked without them.`,
      { field: '--objects-bucket' },
    )
  if (objectsQueue !== undefined && objectsBucket === undefined)
    throw invalid('objects-bucket', 'Name the buckets that notify --objects-queue with --objects-bucket.', {
      field: '--objects-bucket',
    })
  const checks = await examineStore(options)
  return ofObjects ? [...checks, ...(await checkObjectBuckets(data, options))] : checks
}

async function examineStore(options: DoctorOptions): Promise<Check[]> {
  const { data } = options
  const checks = [checkNode()]
  const scheme = schemeAt(data)
  if (scheme === 's3') checks.push(...(await checkAws(data)))
  else if (scheme === 'directory') checks.push(...(await checkMachine(data)))
  // Without a usable directory or bucket the store cannot be opened.
  const isReady = checks.every(
    ({ name, verdict }) => verdict !== 'fail' && !(name === 'directory' && verdict === 'warn'),
  )
  if (!isReady) return checks
  try {
    await Session.use(options, { create: false }, async (session) => {
      if (options.redrive) await session.env.queue.redrive()
      checks.push(...(await checkQueue(session.env)), await checkLeases(session.env), await checkTimes(session.env))
      checks.push(await checkCollections(session), ...(await checkLogs(session)))
    })
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    checks.push(
      error.code === 'store-missing'
        ? warn('store', error.message, 'Create one with "siltstone demo" or "siltstone serve".')
        : fail('store', error.message, REMEDIES[error.code] ?? 'Run "siltstone verify".'),
    )
  }
  return checks
}

async function checkMachine(data: string): Promise<Check[]> {
  if ((await fileInfo(data))?.kind !== 'directory') {
    const remedy =
      'Give the directory of a store with --data, or create one with "siltstone demo" or "siltstone serve".'
    return [warn('directory', `there is no store at ${data}`, remedy), await checkSplit(data)]
  }
  return [
    await checkFileSystemKind(data),
    await checkDisk(data),
    ...(await checkDirectory(data, systemClock, `doctor-${processId()}`)),
    await checkSplit(data),
    ...(await checkObjects(data)),
  ]
}

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const

function checkText({ name, verdict, detail, remedy }: Check): string {
  return `${MARKS[verdict]}  ${name}: ${detail}\n${remedy === undefined ? '' : `      ${remedy}\n`}`
}

function summary(checks: readonly Check[]): string {
  const failed = checks.filter(({ verdict }) => verdict === 'fail').length
  const warned = checks.filter(({ verdict }) => verdict === 'warn').length
  if (failed + warned === 0) return 'No problems found.\n'
  return `${plural(failed, 'check')} failed, ${plural(warned, 'warning')}.\n`
}
