import type { Command } from 'commander'
import { notFound } from '../../errors.ts'
import { command, group } from '../command.ts'
import { duration, table } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

function showCommand(): Command {
  return withStoreOptions(command('show', 'show the leases and their owners', ['lease show'])).action(
    (options: CommonOptions) =>
      Session.use(options, { create: false }, async ({ engine, env, out }) => {
        const rows = await engine.maintenance.leases()
        const nowMs = env.clock.nowMs()
        await out.answer(rows, () =>
          table(
            rows,
            [
              { title: 'LEASE', value: ({ name }) => name },
              { title: 'STATE', value: ({ state }) => state },
              { title: 'OWNER', value: ({ owner }) => owner ?? '', maxWidth: 50 },
              {
                title: 'HEARTBEAT',
                value: ({ owner, heartbeatAtMs }) => (owner ? `${duration(nowMs - heartbeatAtMs)} ago` : ''),
                right: true,
              },
              { title: 'FENCING', value: ({ fencing }) => fencing, right: true },
              { title: 'MARKED', value: ({ dirty }) => (dirty ? 'yes' : '') },
            ],
            'There are no leases: nothing was compacted yet.',
          ),
        )
      }),
  )
}

function forceCommand(): Command {
  const made = command('force <lease>', 'take a lease away from its owner', ['lease force <name from "lease show">'])
  return withStoreOptions(made)
    .addHelpText(
      'after',
      '\nThis is safe: leases only prevent duplicate work. The owner stops at its next heartbeat; its commit is fenced.',
    )
    .action((name: string, options: CommonOptions) =>
      Session.use(options, { create: false }, async ({ env, out }) => {
        const previous = await env.leases.force(name)
        if (!previous) throw notFound('lease-missing', `there is no lease ${name}; "siltstone lease show" lists them`)
        await out.answer(previous, () =>
          previous.owner === undefined
            ? `${name} was free already.\n`
            : `${name} is free; ${previous.owner} held it.\n`,
        )
      }),
    )
}

export function leaseCommand(): Command {
  return group('lease', 'show and force the leases of compaction', [showCommand(), forceCommand()])
}
