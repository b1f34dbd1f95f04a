/** What all commands of `siltstone migrate` have in common: options, the run, the report. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { CommandTools, CommonOptions, RecordLimits, Session } from 'siltstone/internal'
import { type CollectionReport, type MigrationMode, runMigration } from '../run.ts'
import { fromSource } from '../source-error.ts'
import type { MigrationSource, OtherDatabase } from '../types.ts'

export type Command = ReturnType<CommandTools['command']>

export interface MigrateOptions extends CommonOptions {
  into?: string
  intoExisting?: boolean
  restart?: boolean
  skip?: boolean
  renameKeys?: boolean
  embedMissing?: boolean
  compare?: boolean
  sync?: boolean
  sample: number
  limit?: Partial<RecordLimits>
  state?: string
}

export function withMigrateOptions(tools: CommandTools, command: Command): Command {
  const { withEmbedders, withStoreOptions, wholeNumber } = tools
  return withEmbedders(withStoreOptions(command))
    .option('--into <name>', 'name of the target collection, when one collection is migrated')
    .option('--into-existing', 'write into an existing collection; records that it already has stay as they are')
    .option('--sample <n>', 'records to read again from both sides afterwards', wholeNumber(0), 1_000)
    .option('--skip', 'leave out and count what cannot be migrated: records, and parts of a collection')
    .option(
      '--embed-missing',
      'embed the documents of records whose vectors cannot be read, with the collection’s embedder',
    )
    .option('--rename-keys', 'rename metadata keys that are not allowed: # and $ at the beginning become _')
    .option('--limit <limits...>', 'bounds within a record, such as maxDocumentBytes=1000000', tools.recordLimits)
    .option('--compare', 'write nothing: compare every record of both sides')
    .option('--sync', 'compare, and make the target collection equal to the source')
    .option('--state <directory>', 'directory of the files that record progress; default: inside the store’s directory')
    .option('--restart', 'forget the progress of an earlier run')
    .addHelpText(
      'after',
      '\nRun a stopped migration again to resume it. Exits with 1 when the two sides are not equal, also because records were skipped. See docs/how-to/migrate.md.',
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
  const { limit: recordLimits } = options
  const opening = { create: mode === 'copy', ...(recordLimits && { recordLimits }) }
  await tools.useSession(options, opening, async (session) => {
    const source = await fromSource(() => open(session))
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
        renameKeys: options.renameKeys === true,
        ...(recordLimits && { recordLimits }),
        ...(options.embedMissing === true && { embedMissing: session.registry }),
        sampleSize: options.sample,
        onProgress: async ({ collection, records, total, elapsedMs }) => {
          const rate = elapsedMs > 0 ? `, ${count(Math.round((records / elapsedMs) * 1000))} a second` : ''
          const of = total === null ? '' : ` of ${count(total)}`
          await session.out.progress(`${collection}: ${count(records)}${of} records${rate} …`)
        },
      })
      await session.out.endProgress()
      const verb = { copy: 'copied', compare: 'compared', sync: 'synchronised' }[mode]
      const elsewhere = collections.length === 0 ? ((await source.elsewhere?.()) ?? []) : []
      await session.out.answer({ source: source.description, mode, collections: reports, elsewhere }, () =>
        [
          reports.length === 0 ? `${source.description} has no collections.\n` : '',
          ...reports.map((report) => reportText(tools, report, verb)),
          ...elsewhere.map((other) => elsewhereText(tools, other)),
        ].join(''),
      )
      if (reports.some(({ equal }) => !equal)) tools.setExitCode(1)
    } finally {
      await source.close()
    }
  })
}

function elsewhereText({ format: { plural } }: CommandTools, { tenant, database, collections }: OtherDatabase): string {
  const flags = `--from-tenant ${tenant} --from-database ${database}`
  return `not migrated: ${plural(collections, 'collection')} of the database ${database} of ${tenant} (${flags})\n`
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

function reportText(tools: CommandTools, report: CollectionReport, verb: string): string {
  const { count, duration, plural } = tools.format
  const { collection, target, copied, comparison, targetRecords, elapsedMs, error } = report
  const name = collection === target ? collection : `${collection} → ${target}`
  if (error !== undefined) return `${name}: FAILED, the other collections are not affected\n  ${error.message}\n`
  const records = copied > 0 ? copied : comparison.compared
  const each = records > 0 ? `, ${duration(elapsedMs / records)} each` : ''
  const lines = [
    `${name}: ${plural(records, 'record')} ${verb} in ${duration(elapsedMs)}${each}${report.resumed ? ' (resumed)' : ''}; the target has ${count(targetRecords)}`,
  ]
  if (report.sourceRecords !== null) lines.push(`  the source has ${count(report.sourceRecords)}`)
  lines.push(...skippedLines(tools, report))
  if (report.embedded > 0)
    lines.push(`  ${count(report.embedded)} have no readable vector in the source: their documents were embedded`)
  if (report.alreadyThere > 0) lines.push(`  ${count(report.alreadyThere)} were already in the target`)
  lines.push(...report.notes.map((note) => `  note: ${note}`))
  const { missing, extra, different } = comparison
  if (missing + extra + different === 0) lines.push(`  ${plural(comparison.compared, 'record')} compared, all equal`)
  else {
    lines.push(
      `  ${count(missing)} missing, ${count(extra)} extra, ${count(different)} different of ${count(comparison.compared)}`,
    )
    for (const { id, what } of comparison.examples.slice(0, 5))
      lines.push(`    ${id}: ${typeof what === 'string' ? what : `${what.join(', ')} differ`}`)
  }
  if (report.result === 'different') lines.push('  NOT EQUAL; --compare shows the differences, --sync removes them')
  if (report.result === 'equal-but-skipped') lines.push('  INCOMPLETE: what was not skipped is equal')
  return `${lines.join('\n')}\n`
}

function skippedLines({ format: { count } }: CommandTools, report: CollectionReport): string[] {
  const kinds = Object.entries(report.skippedKinds).map(([kind, number]) => `${count(number)} ${kind}`)
  if (kinds.length === 0) return []
  const examples = report.skippedExamples.slice(0, 3).map(({ id, reason }) => `    ${JSON.stringify(id)}: ${reason}`)
  return [`  ${count(report.skipped)} records SKIPPED (${kinds.join(', ')}), for example`, ...examples]
}
