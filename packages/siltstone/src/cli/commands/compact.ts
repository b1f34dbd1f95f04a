import { type Command, Option } from 'commander'
import { command } from '../command.ts'
import { bytes, count, table } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface CompactOptions {
  merge: boolean
  full: boolean
}

export function compactCommand(): Command {
  const made = command('compact [collections...]', 'fold the log into a snapshot now, and merge segments', [
    'compact',
    'compact notes letters --no-merge',
    'compact notes --full',
  ])
  return withStoreOptions(made)
    .option('--no-merge', 'only fold')
    .addOption(
      new Option('--full', 'merge all segments into one: rewrites the collection, for the fastest queries')
        .default(false)
        .conflicts('merge'),
    )
    .action((names: string[], options: CommonOptions & CompactOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const outcomes: { name: string; outcome: Awaited<ReturnType<typeof session.engine.compact>> }[] = []
        for (const { name, path } of await session.targets(names)) {
          await session.out.progress(`compacting ${name} …`)
          outcomes.push({
            name,
            outcome: await session.engine.compact(path, { merge: options.merge, full: options.full }),
          })
        }
        await session.out.endProgress()
        await session.out.answer(
          outcomes.map(({ name, outcome }) => ({ name, ...outcome })),
          () =>
            table(
              outcomes,
              [
                { title: 'COLLECTION', value: ({ name }) => name, maxWidth: 90 },
                { title: 'FOLDS', value: ({ outcome }) => outcome.folds, right: true },
                { title: 'MERGES', value: ({ outcome }) => outcome.merges, right: true },
                { title: 'ENTRIES', value: ({ outcome }) => count(outcome.entriesFolded), right: true },
                { title: 'OPERATIONS', value: ({ outcome }) => count(outcome.recordsFolded), right: true },
                { title: 'WRITTEN', value: ({ outcome }) => bytes(outcome.bytesWritten), right: true },
                { title: 'VERSION', value: ({ outcome }) => outcome.watermark, right: true },
                { title: '', value: ({ outcome }) => (outcome.busy ? 'another process is at it' : '') },
              ],
              'No collections.',
            ),
        )
      }),
    )
}
