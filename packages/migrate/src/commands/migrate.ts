/** What all commands of `siltstone migrate` have in common: options, the run, the report. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { CommandTools, CommonOptions, Session } from 'siltstone/internal'
import { type CollectionReport, type MigrationMode, runMigration } from '../run.ts'
import type { MigrationSource } from '../types.ts'

export type Command = ReturnType<CommandTools['command']>

export interface MigrateOptions extends CommonOptions {
  into?: string
  intoExisting?: boolean
  restart?: boolean
  skip?: boolean
  compare?: boolean
  sync?: boolean
  sample: number
  state?: string
}

export function withMigrateOptions({ withStoreOptions, wholeNumber }: CommandTools, command: Command): Command {
  return withStoreOptions(command)
    .option('--into <name>', 'name of the target collection, when one collection is migrated')
    .option('--into-existing', 'write into an existing collection; records that it already has stay as they are')
    .option('--sample <n>', 'records to read again from both sides afterwards', wholeNumber(0), 1_000)
    .option('--skip', 'skip and count records that cannot be migrated')
    .option('--compare', 'write nothing: compare every record of both sides')
    .option('--sync', 'compare, and make the target collection equal to the source')
    .option('--state <directory>', 'directory of the files that record progress; default: inside the store’s directory')
    .option('--restart', 'forget the progress of an earlier run')
    .addHelpText(
      'after',
      '\nRun a stopped migration again to resume it. Exits with 1 when the two sides are not equal. See docs/how-to/migrate.md.',
    )
}

/** Runs one command: opens the store and the source, migrates or compares, prints the reports. */
export async function migrate(
  tools: CommandTools,
  options: MigrateOptions,
  collections: readonly string[],
  open: (session: Session) => Promise<MigrationSource>,
): Promise<void> {
  const mode: MigrationMode = options.sync ? 'sync' : options.compare ? 'compare' : 'copy'
  const { count } = tools.format
  await tools.useSession(options, { create: mode === 'copy' }, async (session) => {
    const source = await open(session)
    try {
      const { tenant, database, into } = options
      const reports = await runMigration(source, {
        engine: session.engine,
        place: { tenant, database },
        mode,
        collections,
        ...(into !== undefined && { into }),
        statePathOf: (identity, collection) => statePath(tools, options, identity, collection),
        restart: options.restart === true,
        intoExisting: options.intoExisting === true,
        skip: options.skip === true,
        sampleSize: options.sample,
        onProgress: async ({ collection, records, total, elapsedMs }) => {
          const rate = elapsedMs > 0 ? `, ${count(Math.round((records / elapsedMs) * 1000))} a second` : ''
          const of = total === null ? '' : ` of ${count(total)}`
          await session.out.progress(`${collection}: ${count(records)}${of} records${rate} …`)
        },
      })
      await session.out.endProgress()
      const verb = { copy: 'copied', compare: 'compared', sync: 'synchronised' }[mode]
      await session.out.answer({ source: source.description, mode, collections: reports }, () =>
        reports.length === 0
          ? `${source.description} has no collections.\n`
          : reports.map((report) => reportText(tools, report, verb)).join(''),
      )
      if (reports.some(({ equal }) => !equal)) tools.setExitCode(1)
    } finally {
      await source.close()
    }
  })
}

function statePath(
  { privateFolder }: CommandTools,
  { data, state, tenant, database, into }: MigrateOptions,
  source: string,
  collection: string,
): string {
  const hash = createHash('sha256').update(JSON.stringify([source, collection, tenant, database, into ?? null]))
  const isDirectory = !/^[a-z0-9]+:\/\//.test(data)
  const directory = state ?? (isDirectory ? join(data, privateFolder, 'migrations') : '.siltstone-migrations')
  return join(directory, `${hash.digest('hex').slice(0, 24)}.json`)
}

function reportText(
  { format: { count, duration, plural } }: CommandTools,
  report: CollectionReport,
  verb: string,
): string {
  const { collection, target, copied, comparison, targetRecords, elapsedMs } = report
  const records = copied > 0 ? copied : comparison.compared
  const name = collection === target ? collection : `${collection} → ${target}`
  const each = records > 0 ? `, ${duration(elapsedMs / records)} each` : ''
  const lines = [
    `${name}: ${plural(records, 'record')} ${verb} in ${duration(elapsedMs)}${each}${report.resumed ? ' (resumed)' : ''}; the target has ${count(targetRecords)}`,
  ]
  if (report.sourceRecords !== null) lines.push(`  the source has ${count(report.sourceRecords)}`)
  if (report.skipped > 0) lines.push(`  ${count(report.skipped)} skipped, for example ${report.skippedExamples[0]?.id}`)
  if (report.alreadyThere > 0) lines.push(`  ${count(report.alreadyThere)} were already in the target`)
  const { missing, extra, different } = comparison
  if (missing + extra + different === 0) lines.push(`  ${plural(comparison.compared, 'record')} compared, all equal`)
  else {
    lines.push(
      `  ${count(missing)} missing, ${count(extra)} extra, ${count(different)} different of ${count(comparison.compared)}`,
    )
    for (const { id, what } of comparison.examples.slice(0, 5))
      lines.push(`    ${id}: ${typeof what === 'string' ? what : `${what.join(', ')} differ`}`)
  }
  if (!report.equal) lines.push('  NOT EQUAL; --compare shows the differences, --sync removes them')
  return `${lines.join('\n')}\n`
}
