import { type Command, Option } from 'commander'
import type { GcOutcome } from '../../gc/garbage-collector.ts'
import type { GarbagePreview } from '../../model/maintenance.ts'
import { command } from '../command.ts'
import { Targets } from '../each-target.ts'
import { bytes, count, table } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function gcCommand(): Command {
  const made = command('gc [collections...]', 'delete objects that no snapshot refers to and no reader needs', [
    'gc',
    'gc notes',
    'gc --due',
    'gc --dry-run',
  ])
  return withStoreOptions(made)
    .addOption(new Option('--due', 'only collections whose garbage collection is due').conflicts('dryRun'))
    .option('--dry-run', 'show what would be deleted, and delete nothing')
    .action((names: string[], options: CommonOptions & { due?: boolean; dryRun?: boolean }) =>
      Session.use(options, { create: false }, async (session) => {
        const { engine, out } = session
        if (options.dryRun === true) return preview(session, names)
        const outcomes: GcOutcome[] = []
        const targets = new Targets(session)
        if (names.length === 0) await engine.collectCatalogGarbage()
        if (options.due) outcomes.push(...(await engine.collectDue()))
        else
          await targets.each(await targets.find(names), 'collecting', async ({ path }) => {
            outcomes.push(await engine.collectGarbage(path))
          })
        const known = new Map((await new Targets(session).find([])).map(({ path, name }) => [path, name]))
        await targets.reportIfAlone(outcomes)
        await out.answer(outcomes, () =>
          table(
            outcomes,
            [
              { title: 'COLLECTION', value: ({ collection }) => known.get(collection) ?? collection, maxWidth: 90 },
              { title: 'DELETED', value: ({ deleted }) => count(deleted), right: true },
              { title: 'FREED', value: ({ deletedBytes }) => bytes(deletedBytes), right: true },
              { title: 'WAITING', value: ({ waiting }) => count(waiting), right: true },
              { title: 'FAILED', value: ({ failed }) => count(failed), right: true },
              { title: '', value: ({ busy }) => (busy ? 'another process collects it' : '') },
            ],
            'Nothing to collect.',
          ),
        )
        await targets.report()
      }),
    )
}

async function preview(session: Session, names: readonly string[]): Promise<void> {
  const found: (GarbagePreview & { name: string })[] = []
  const targets = new Targets(session)
  await targets.each(await targets.find(names), 'examining', async ({ name, path }) => {
    found.push({ name, ...(await session.engine.maintenance.garbageAt(path)) })
  })
  await targets.reportIfAlone(found)
  await session.out.answer(found, () =>
    table(
      found,
      [
        { title: 'COLLECTION', value: ({ name }) => name, maxWidth: 90 },
        { title: 'DELETABLE', value: ({ deletable }) => count(deletable), right: true },
        { title: 'SIZE', value: ({ deletableBytes }) => bytes(deletableBytes), right: true },
        { title: 'WAITING', value: ({ waiting }) => count(waiting), right: true },
      ],
      'Nothing to collect.',
    ),
  )
  await targets.report()
}
