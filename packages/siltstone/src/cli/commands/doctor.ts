import type { Command } from 'commander'
import { isSiltstoneError } from '../../errors.ts'
import { fileInfo } from '../../host/files.ts'
import { schemeAt } from '../../drivers/open-environment.ts'
import { processId, setExitCode } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { command } from '../command.ts'
import { checkAws } from '../doctor/aws.ts'
import { type Check, fail, warn } from '../doctor/check.ts'
import { checkDirectory, checkDisk, checkFileSystemKind, checkNode, checkSplit } from '../doctor/machine.ts'
import { checkObjects } from '../doctor/objects.ts'
import { checkCollections, checkLeases, checkLogs, checkQueue, checkTimes } from '../doctor/store.ts'
import { plural } from '../format.ts'
import { Output } from '../output.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function doctorCommand(): Command {
  const made = command('doctor', 'find problems of a store and its machine', ['doctor', 'doctor --data ./data --json'])
  return withStoreOptions(made)
    .option('--redrive', 'move wake-up messages from the dead-letter queue back to the queue')
    .addHelpText('after', '\nExits with 1 when a check fails. "siltstone verify" checks the data itself.')
    .action(async (options: CommonOptions & { redrive?: boolean }) => {
      const out = new Output(options)
      const checks = await examine(options)
      await out.answer(checks, () => checks.map(checkText).join('') + summary(checks))
      if (checks.some(({ verdict }) => verdict === 'fail')) setExitCode(1)
    })
}

const REMEDIES: Record<string, string> = {
  'coordination-damaged': 'Nothing else is lost; "siltstone verify" then checks the records.',
}

async function examine(options: CommonOptions & { redrive?: boolean }): Promise<Check[]> {
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
