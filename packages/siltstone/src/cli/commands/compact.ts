import { type Command, Option } from 'commander'
import type { CompactOptions as Work } from '../../compact/compactor.ts'
import type { CompactionOutcome } from '../../model/store.ts'
import { wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { Targets } from '../each-target.ts'
import { takeWaitingCalls } from '../wake-up-calls.ts'
import { bytes, count, table } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface CompactOptions {
  merge: boolean
  full: boolean
  wait: number
}

const RETRY_MS = 500
const CALLS_HIDDEN_MS = 60_000

export function compactCommand(): Command {
  const made = command('compact [collections...]', 'fold the log into a snapshot and merge segments, now', [
    'compact',
    'compact notes letters --no-merge',
    'compact notes --full --wait 600',
  ])
  return withStoreOptions(made)
    .option('--no-merge', 'fold only')
    .addOption(
      new Option(
        '--full',
        'merge as many segments as a step of 4 GiB (bucket: 1 GiB) takes, due or not, and build missing indexes',
      )
        .default(false)
        .conflicts('merge'),
    )
    .option('--wait <seconds>', 'while another process compacts, try again for this long', wholeNumber(0), 0)
    .action((names: string[], options: CommonOptions & CompactOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const outcomes: { name: string; outcome: CompactionOutcome }[] = []
        const calls = await takeWaitingCalls(session.env.queue, CALLS_HIDDEN_MS)
        const compacted = new Set<string>()
        const targets = new Targets(session)
        try {
          await targets.each(await targets.find(names), 'compacting', async ({ name, path }) => {
            const work = { merge: options.merge, full: options.full }
            const outcome = await compactWithin(session, path, work, options.wait * 1_000)
            outcomes.push({ name, outcome })
            if (!outcome.busy) compacted.add(path)
          })
        } finally {
          await calls.settle(compacted)
        }
        await targets.reportIfAlone(outcomes)
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
                { title: '', value: ({ outcome }) => stateOf(outcome) },
              ],
              'No collections.',
            ),
        )
        await targets.report()
      }),
    )
}

function stateOf({ busy, unfinished }: CompactionOutcome): string {
  if (busy) return 'another process compacts it'
  return unfinished === 'cannot-fit' ? 'a merge needs more memory or scratch disk: see the log' : ''
}

/** Tries again for `waitMs` while another process compacts. */
async function compactWithin(
  { engine, env }: Session,
  path: string,
  work: Work,
  waitMs: number,
): Promise<CompactionOutcome> {
  const untilMs = env.clock.monotonicMs() + waitMs
  let outcome = await engine.compact(path, work)
  while (outcome.busy && env.clock.monotonicMs() < untilMs) {
    await env.clock.sleep(RETRY_MS)
    const { folds, merges, entriesFolded, recordsFolded, bytesWritten } = outcome
    outcome = await engine.compact(path, work)
    outcome.folds += folds
    outcome.merges += merges
    outcome.entriesFolded += entriesFolded
    outcome.recordsFolded += recordsFolded
    outcome.bytesWritten += bytesWritten
  }
  return outcome
}
