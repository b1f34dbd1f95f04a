import type { Command } from 'commander'
import { type VerifyReport, verifyCollection } from '../../check/verify-collection.ts'
import { setExitCode } from '../../host/process.ts'
import { command } from '../command.ts'
import { bytes, count, plural } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function verifyCommand(): Command {
  const made = command(
    'verify [collections...]',
    'check every object, checksum, reference and count, without changes',
    ['verify', 'verify notes --quick'],
  )
  return withStoreOptions(made)
    .option('--quick', 'check existence, sizes, manifests and the log, but not every byte')
    .addHelpText('after', '\nExits with 6 when an object is damaged.')
    .action((names: string[], options: CommonOptions & { quick?: boolean }) =>
      Session.use(options, { create: false }, async (session) => {
        const reports: (VerifyReport & { name: string })[] = []
        for (const { name, path } of await session.targets(names)) {
          await session.out.progress(`verifying ${name} …`)
          reports.push({ name, ...(await verifyCollection(session.env, path, { deep: !options.quick })) })
        }
        await session.out.endProgress()
        await session.out.answer(reports, () =>
          reports.length === 0 ? 'No collections.\n' : reports.map(reportText).join('\n'),
        )
        if (reports.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))) setExitCode(6)
      }),
    )
}

function reportText({ name, state, problems, figures, liveRecords, version }: VerifyReport & { name: string }): string {
  const verdict =
    problems.length === 0
      ? 'whole'
      : problems.some(({ severity }) => severity === 'error')
        ? 'DAMAGED'
        : 'whole, with warnings'
  const records = liveRecords === null ? 'unknown number of records' : plural(liveRecords, 'record')
  const lines = [
    `${name}: ${verdict}${state === 'closed' ? ' (deleted)' : ''}, ${records} at version ${version}`,
    `  ${plural(figures.objects, 'object')} with ${bytes(figures.bytes)}: ${plural(figures.manifests, 'manifest')}, ` +
      `${plural(figures.segments, 'segment')}, ${plural(figures.entries, 'fresh entry', 'fresh entries')}, ` +
      `${plural(figures.inboxDeltas, 'delta')} in the inbox`,
  ]
  if (figures.refusedDeltas > 0) lines.push(`  ${plural(figures.refusedDeltas, 'delta')} refused`)
  if (figures.unreferencedObjects > 0)
    lines.push(
      `  ${count(figures.unreferencedObjects)} unreferenced with ${bytes(figures.unreferencedBytes)} (garbage)`,
    )
  for (const { key, problem, remedy, severity } of problems)
    lines.push(`  ${severity}: ${problem.startsWith(key) ? '' : `${key}: `}${problem}`, `    ${remedy}`)
  return `${lines.join('\n')}\n`
}
