import type { Command } from 'commander'
import { defaultCompactLimits } from '../../compact/compact-limits.ts'
import { repairCollection, type RepairReport } from '../../check/repair.ts'
import { limitsOf } from '../../log/log-limits.ts'
import { setExitCode } from '../../host/process.ts'
import { command } from '../command.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function repairCommand(): Command {
  const made = command('repair [collections...]', 'repair damage that can be repaired without losing data', [
    'repair notes --dry-run',
    'repair',
  ])
  return withStoreOptions(made)
    .option('--dry-run', 'only show the repairs')
    .addHelpText('after', '\nNothing is deleted. Exits with 6 when damage remains.')
    .action((names: string[], options: CommonOptions & { dryRun?: boolean }) =>
      Session.use(options, { create: false }, async (session) => {
        const reports: (RepairReport & { name: string })[] = []
        for (const { name, path } of await session.targets(names)) {
          await session.out.progress(`repairing ${name} …`)
          const report = await repairCollection(session.env, path, {
            log: limitsOf(session.env.store),
            compact: defaultCompactLimits,
            name: session.engine.name,
            dryRun: options.dryRun === true,
          })
          reports.push({ ...report, name })
        }
        await session.out.endProgress()
        await session.out.answer(reports, () =>
          reports.length === 0 ? 'No collections.\n' : reports.map(reportText).join(''),
        )
        if (reports.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))) setExitCode(6)
        else if (reports.some(({ busy }) => busy)) setExitCode(5)
      }),
    )
}

function reportText({
  name,
  dryRun,
  busy,
  actions,
  refused,
  wholeSnapshots,
  problems,
}: RepairReport & { name: string }): string {
  const done = { void: dryRun ? 'would void' : 'voided', publish: dryRun ? 'would publish again' : 'published again' }
  const errors = problems.filter(({ severity }) => severity === 'error')
  const lines = actions.map(({ kind, key, why }) => `${name}: ${done[kind]} ${key} (${why})`)
  if (busy) lines.push(`${name}: a compactor or garbage collector is running; try again when it has finished`)
  for (const { key, reason } of refused) lines.push(`${name}: ${key} cannot be used instead: ${reason}`)
  for (const { problem, remedy } of errors) lines.push(`${name}: still damaged: ${problem}`, `  ${remedy}`)
  if (errors.length > 0 && wholeSnapshots.length > 0)
    lines.push(
      `${name}: these kept snapshots are whole: ${wholeSnapshots.join(', ')}`,
      `  "siltstone snapshots rollback ${name} ${wholeSnapshots[0]}" restores the newest.`,
    )
  if (lines.length === 0) lines.push(`${name}: nothing to repair`)
  return `${lines.join('\n')}\n`
}
