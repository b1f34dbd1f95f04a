import type { Command } from 'commander'
import { closeEnvironment, openEnvironment } from '../../drivers/directory/directory-environment.ts'
import { makeTemporaryDirectory, removeTree } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import { directoryTarget } from '../../publish/directory-target.ts'
import { writePageFiles } from '../../publish/page-files.ts'
import { publish } from '../../publish/publish.ts'
import { command } from '../command.ts'
import { bytes, plural } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function publishCommand(): Command {
  const made = command('publish <collection>', 'write a collection as files that pages search without a server', [
    'publish notes --out ./public/search',
  ])
  return withStoreOptions(made)
    .requiredOption('--out <directory>', 'directory to write; what an earlier publication left there is replaced')
    .addHelpText(
      'after',
      '\nThe folder is one state of the collection, for any static host. A page shows <siltstone-search> after it loads' +
        '\nsiltstone-search.js of the folder, or uses the package @siltstone/reader. Everybody who can read the folder can read all records. Vectors are rounded to one byte per dimension.',
    )
    .action((name: string, options: CommonOptions & { out: string }) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const directory = await makeTemporaryDirectory()
        try {
          const staging = await openEnvironment(directory, { log: session.out.logger })
          try {
            const target = directoryTarget(options.out)
            const report = await publish({ collection, staging, target, models: systemModels })
            const modules = await writePageFiles(target)
            const { records, version, files, sizeBytes, written, removed, embedder } = report
            await session.out.answer({ out: options.out, ...report, modules: modules ?? [] }, () =>
              [
                `${plural(records, 'record')} of version ${version} in ${plural(files, 'file')}, ${bytes(sizeBytes)}: ${options.out}`,
                `  ${written} written, ${removed} removed`,
                ...(modules ? [] : ['  without a search box: npm install @siltstone/reader, and publish again']),
                ...(embedder ? [] : ['  without an embedder: pages have to bring the vectors of their queries']),
                '',
              ].join('\n'),
            )
          } finally {
            await closeEnvironment(staging)
          }
        } finally {
          await removeTree(directory)
        }
      }),
    )
}
