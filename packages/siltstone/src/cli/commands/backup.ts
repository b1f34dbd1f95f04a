import type { Command } from 'commander'
import { backUp } from '../../backup/back-up.ts'
import { closeEnvironment } from '../../drivers/directory/directory-environment.ts'
import { isUrl, openEnvironmentAt } from '../../drivers/open-environment.ts'
import { invalid } from '../../errors.ts'
import { setExitCode } from '../../host/process.ts'
import { command } from '../command.ts'
import { bytes, plural } from '../format.ts'
import { isPlaceWithin } from '../place-within.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function backupCommand(): Command {
  const made = command('backup', 'copy a store, also one in use, to an empty directory or bucket', [
    'backup --to ./backup',
    'backup --data s3://vectors/prod --to ./backup',
    'backup --data ./backup --to ./restored',
  ])
  return withStoreOptions(made)
    .requiredOption('--to <place>', 'an empty place: a directory, or s3://bucket/prefix')
    .addHelpText(
      'after',
      '\nThe copy shows each collection as it was at one moment after the backup began. It is a store: open it, or copy it' +
        '\nback. Run a stopped backup again to continue it. Exits with 6 when the store is damaged, and so is its copy.',
    )
    .action((options: CommonOptions & { to: string }) =>
      Session.use(options, { create: false, damaged: true }, async ({ env, out }) => {
        if (isPlaceWithin(options.to, options.data))
          throw invalid(
            'backup-target-in-use',
            `${options.to} lies in the store ${options.data}, so the copy would be a part of what is copied; give a place beside it`,
            { field: 'to' },
          )
        const target = await openEnvironmentAt(options.to, { log: out.logger })
        try {
          const report = await backUp(env, target, {
            ...(!isUrl(options.data) && { directory: options.data }),
            onCollection: (done, total) => out.progress(`${done} of ${plural(total, 'collection')} …`),
          })
          await out.endProgress()
          const { collections, objects, sizeBytes, problems } = report
          await out.answer({ to: options.to, ...report }, () =>
            [
              `${plural(collections, 'collection')} in ${plural(objects, 'object')}, ${bytes(sizeBytes)}: ${options.to}`,
              ...problems.map(({ key, problem }) => `  damaged, as in the store: ${key}: ${problem}`),
              '',
            ].join('\n'),
          )
          if (problems.length > 0) setExitCode(6)
        } finally {
          await closeEnvironment(target)
        }
      }),
    )
}
