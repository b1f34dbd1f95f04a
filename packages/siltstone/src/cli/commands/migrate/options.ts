/** What all sources of `siltstone migrate` have in common. */
import type { Command } from 'commander'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type CollectionReport,
  type MigrationMode,
  type MigrationSource,
  runMigration,
} from '../../../../../migrate/src/index.ts'
import { PRIVATE_FOLDER } from '../../../drivers/directory/directory-object-store.ts'
import { setExitCode } from '../../../host/process.ts'
import { wholeNumber } from '../../arguments.ts'
import { count, duration, plural } from '../../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../../session.ts'

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

export function withMigrateOptions(made: Command): Command {
  return withStoreOptions(made)
    .option('--into <name>', 'name of the collection here, when one is migrated')
    .option('--into-existing', 'write into a collection that is there; records that it has stay as they are')
    .option('--sample <n>', 'records to read again from both sides afterwards', wholeNumber(0), 1_000)
    .option('--skip', 'leave out records that cannot be migrated, and count them')
    .option('--compare', 'write nothing: compare every record of both sides')
    .option('--sync', 'compare, and make the collection here equal to the source')
    .option('--state <directory>', 'where it is noted how far it came; default: in the store’s directory')
    .option('--restart', 'forget how far an earlier run came')
    .addHelpText(
      'after',
      '\nRun it again to go on where it was stopped. Exits with 1 when the two sides are not equal. docs/how-to/migrate.md is the guide.',
    )
}

export async function migrate(
  options: MigrateOptions,
  collections: readonly string[],
  open: (session: Session) => Promise<MigrationSource>,
): Promise<void> {
  const mode: MigrationMode = options.sync ? 'sync' : options.compare ? 'compare' : 'copy'
  await Session.use(options, { create: mode === 'copy' }, async (session) => {
    const source = await open(session)
    try {
      const { tenant, database, into } = options
      const reports = await runMigration(source, {
        engine: session.engine,
        place: { tenant, database },
        mode,
        collections,
        ...(into !== undefined && { into }),
        statePathOf: (identity, collection) => statePath(options, identity, collection),
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
          : reports.map((report) => reportText(report, verb)).join(''),
      )
      if (reports.some(({ equal }) => !equal)) setExitCode(1)
    } finally {
      await source.close()
    }
  })
}

function statePath(
  { data, state, tenant, database, into }: MigrateOptions,
  source: string,
  collection: string,
): string {
  const hash = createHash('sha256').update(JSON.stringify([source, collection, tenant, database, into ?? null]))
  const isDirectory = !/^[a-z0-9]+:\/\//.test(data)
  const directory = state ?? (isDirectory ? join(data, PRIVATE_FOLDER, 'migrations') : '.siltstone-migrations')
  return join(directory, `${hash.digest('hex').slice(0, 24)}.json`)
}

function reportText(report: CollectionReport, verb: string): string {
  const { collection, target, copied, comparison, targetRecords, elapsedMs } = report
  const records = copied > 0 ? copied : comparison.compared
  const name = collection === target ? collection : `${collection} → ${target}`
  const each = records > 0 ? `, ${duration(elapsedMs / records)} each` : ''
  const lines = [
    `${name}: ${plural(records, 'record')} ${verb} in ${duration(elapsedMs)}${each}${report.resumed ? ' (resumed)' : ''}; ${count(targetRecords)} there now`,
  ]
  if (report.sourceRecords !== null) lines.push(`  the source has ${count(report.sourceRecords)}`)
  if (report.skipped > 0) lines.push(`  ${count(report.skipped)} left out, such as ${report.skippedExamples[0]?.id}`)
  if (report.alreadyThere > 0) lines.push(`  ${count(report.alreadyThere)} were there already`)
  const { missing, extra, different } = comparison
  if (missing + extra + different === 0) lines.push(`  ${plural(comparison.compared, 'record')} compared, all equal`)
  else {
    lines.push(
      `  ${count(missing)} missing, ${count(extra)} extra, ${count(different)} different of ${count(comparison.compared)}`,
    )
    for (const { id, what } of comparison.examples.slice(0, 5))
      lines.push(`    ${id}: ${typeof what === 'string' ? what : `${what.join(', ')} differ`}`)
  }
  if (!report.equal) lines.push('  NOT EQUAL; --compare shows what differs, --sync mends it')
  return `${lines.join('\n')}\n`
}
