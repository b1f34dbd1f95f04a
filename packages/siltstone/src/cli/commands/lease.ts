import type { Command } from 'commander'
import { notFound } from '../../errors.ts'
import { command, group } from '../command.ts'
import { duration, table } from '../format.ts'
import { stateOf } from '../lease-state.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

function showCommand(): Command {
  return withStoreOptions(command('show', 'show who compacts what', ['lease show'])).action((options: CommonOptions) =>
    Session.use(options, { create: false }, async ({ env, out }) => {
      const leases = await env.leases.list()
      const nowMs = env.clock.nowMs()
      const rows = leases.map((lease) => ({ ...lease, state: stateOf(lease, nowMs) }))
      await out.answer(rows, () =>
        table(
          rows,
          [
            { title: 'LEASE', value: ({ name }) => name },
            { title: 'STATE', value: ({ state }) => state },
            { title: 'OWNER', value: ({ owner }) => owner, maxWidth: 50 },
            {
              title: 'HEARTBEAT',
              value: ({ owner, heartbeatAtMs }) => (owner ? `${duration(nowMs - heartbeatAtMs)} ago` : ''),
              right: true,
            },
            { title: 'FENCING', value: ({ fencing }) => fencing, right: true },
            { title: 'MARKED', value: ({ dirty }) => (dirty ? 'yes' : '') },
          ],
          'Nobody has compacted here yet.',
        ),
      )
    }),
  )
}

function forceCommand(): Command {
  const made = command('force <lease>', 'take a lease away from whoever holds it', [
    'lease force <name from "lease show">',
  ])
  return withStoreOptions(made)
    .addHelpText(
      'after',
      '\nSafe: a lease only saves work. Its holder stops at its next heartbeat, and its commit is fenced.',
    )
    .action((name: string, options: CommonOptions) =>
      Session.use(options, { create: false }, async ({ env, out }) => {
        const was = await env.leases.force(name)
        if (!was) throw notFound('lease-missing', `there is no lease ${name}; "siltstone lease show" lists them`)
        await out.answer(was, () =>
          was.owner === undefined ? `${name} was free already.\n` : `${name} is free; ${was.owner} held it.\n`,
        )
      }),
    )
}

export function leaseCommand(): Command {
  return group('lease', 'show and force the leases of compaction', [showCommand(), forceCommand()])
}
