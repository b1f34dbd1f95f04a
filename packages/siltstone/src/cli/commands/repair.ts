import { type Command, Option } from 'commander'
import { type CollectionDocument, collectionType } from '../../catalog/collection-document.ts'
import { checkCollectionName } from '../../catalog/name-rules.ts'
import { type CatalogRepairReport, repairCatalog } from '../../check/repair-catalog.ts'
import { type CatalogReport, verifyCatalog } from '../../check/verify-catalog.ts'
import { defaultCompactLimits } from '../../compact/compact-limits.ts'
import { repairCollection, type RepairReport } from '../../check/repair.ts'
import { invalid } from '../../errors.ts'
import { collectionPath, parseCollectionPath } from '../../format/keys.ts'
import { newConfiguration } from '../../library/configuration.ts'
import type { Space } from '../../model/collection.ts'
import { hasBlobs } from '../../drivers/directory/blobs/index-copy.ts'
import { verifyBlobs } from '../../drivers/directory/blobs/verify-blobs.ts'
import { isUrl } from '../../drivers/open-environment.ts'
import { limitsOf } from '../../log/log-limits.ts'
import { setExitCode } from '../../host/process.ts'
import { command } from '../command.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'
import { unlessUnavailable } from './verify.ts'

export function repairCommand(): Command {
  const made = command('repair [collections...]', 'repair damage that can be repaired without losing data', [
    'repair notes --dry-run',
    'repair',
  ])
  return withStoreOptions(made)
    .option('--dry-run', 'only show the repairs')
    .option('--name <name>', 'name of the one collection, when no object of the catalog has it')
    .addOption(
      new Option('--space <space>', 'distance of the one collection, when no object of the catalog has it').choices([
        'l2',
        'cosine',
        'ip',
      ]),
    )
    .addHelpText('after', '\nNothing is deleted. Exits with 6 when damage remains.')
    .action((names: string[], options: CommonOptions & RepairFlags) =>
      Session.use(options, { create: false, damaged: true }, async (session) => {
        const reports: (Omit<RepairReport, 'actions'> & { name: string; actions: Action[] })[] = []
        const dryRun = options.dryRun === true
        const before = await verifyCatalog(session.env)
        const described = describedBy(session, names, before, options)
        await session.out.progress('repairing the catalog …')
        const catalog = await repairCatalog(session.env, { dryRun, ...(described && { described }) })
        const targets = session.examinedTargets(names, await verifyCatalog(session.env))
        for (const { name, path } of targets) {
          await session.out.progress(`repairing ${name} …`)
          const report = await repairCollection(session.env, path, {
            log: limitsOf(session.env.store),
            compact: defaultCompactLimits,
            name: session.engine.name,
            dryRun,
          })
          reports.push({ ...report, name })
        }
        if (catalog.actions.length + catalog.problems.length > 0) {
          const nothing = { busy: false, refused: [], wholeSnapshots: [] }
          reports.push({ name: 'catalog', collection: 'catalog', dryRun, ...nothing, ...catalog })
        }
        const hasObjects = names.length === 0 && !isUrl(options.data) && (await hasBlobs(options.data))
        const { report: blobs, failure } = await unlessUnavailable(async () =>
          hasObjects ? verifyBlobs(options.data, { deep: false }) : undefined,
        )
        if (blobs !== undefined && blobs.problems.length > 0) {
          const nothing = { busy: false, refused: [], wholeSnapshots: [], actions: [] }
          reports.push({ name: 'objects', collection: 'objects', dryRun, ...nothing, problems: blobs.problems })
        }
        await session.out.endProgress()
        await session.out.answer(reports, () =>
          reports.length === 0 ? 'No collections.\n' : reports.map(reportText).join(''),
        )
        if (reports.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))) setExitCode(6)
        else if (failure !== undefined) throw failure
        else if (reports.some(({ busy }) => busy)) setExitCode(5)
      }),
    )
}

interface RepairFlags {
  dryRun?: boolean
  name?: string
  space?: Space
}

type Action = RepairReport['actions'][number] | CatalogRepairReport['actions'][number]

/** What the caller says of a collection whose id object is lost. */
function describedBy(
  session: Session,
  names: readonly string[],
  catalog: CatalogReport,
  { name: given, space, tenant, database }: CommonOptions & RepairFlags,
): ReadonlyMap<string, CollectionDocument> | undefined {
  if (given === undefined && space === undefined) return undefined
  const [target, second] = session.examinedTargets(names, catalog)
  if (names.length !== 1 || target === undefined || second !== undefined)
    throw invalid('one-collection', '--name and --space describe one collection: name it, or give its path', {
      field: '--space',
    })
  const { path } = target
  const name = given ?? target.name
  const id = parseCollectionPath(path)?.collectionId ?? ''
  if (space === undefined || name === path)
    throw invalid('description-incomplete', `give --space, and --name if no object has the name of ${path}`, {
      field: '--space',
    })
  checkCollectionName(name)
  if (collectionPath({ tenant, database, collectionId: id }) !== path)
    throw invalid(
      'other-database',
      `${path} is not in the database ${database} of ${tenant}: give --tenant and --database`,
      {
        field: '--database',
      },
    )
  const { configuration } = newConfiguration({ configuration: { hnsw: { space } } })
  const document: CollectionDocument = {
    format: 'siltstone.collection',
    version: collectionType.version,
    id,
    tenant,
    database,
    incarnation: 'initial',
    state: 'live',
    everLive: true,
    name,
    renaming: null,
    metadata: null,
    configuration,
    schema: null,
    space,
    createdAtMs: session.env.clock.nowMs(),
    inbox: true,
    forkOf: null,
    writes: [],
  }
  return new Map([[path, document]])
}

function reportText({
  name,
  dryRun,
  busy,
  actions,
  refused,
  wholeSnapshots,
  problems,
}: Omit<RepairReport, 'actions'> & { name: string; actions: Action[] }): string {
  const done = {
    rebuild: dryRun ? 'would make again' : 'made again',
    remove: dryRun ? 'would remove' : 'removed',
    void: dryRun ? 'would void' : 'voided',
    publish: dryRun ? 'would publish again' : 'published again',
  }
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
