import type { Command } from 'commander'
import { closeEnvironment, openEnvironment } from '../../drivers/directory/directory-environment.ts'
import { invalid } from '../../errors.ts'
import { makeTemporaryDirectory, removeTree } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import type { Collection } from '../../model/store.ts'
import type { Environment } from '../../ports/environment.ts'
import { directoryTarget } from '../../publish/directory-target.ts'
import { publish } from '../../publish/publish.ts'
import { siteCollection } from '../../publish/site-collection.ts'
import { command } from '../command.ts'
import { wholeNumber } from '../arguments.ts'
import { bytes, plural } from '../format.ts'
import { Output } from '../output.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface PublishOptions extends CommonOptions {
  out?: string
  site?: string
  base: string
  whole?: boolean
  graceHours: number
}

const HOUR_MS = 3_600_000

export function publishCommand(): Command {
  const made = command(
    'publish [collection]',
    'write a collection, or a built site, as files that pages search without a server',
    ['publish notes --out ./public/search', 'publish --site ./dist'],
  )
  return withStoreOptions(made)
    .option(
      '--out <directory>',
      'directory to write, where an earlier publication is replaced; default of a site: search in it',
    )
    .option(
      '--site <directory>',
      'publish the HTML pages of a built site instead of a collection: a passage per heading',
    )
    .option('--base <path>', 'the path at which the site is served', '/')
    .option('--whole', 'publish everything anew, instead of what changed')
    .option(
      '--grace-hours <n>',
      'keep files of earlier publications this long for pages that are open',
      wholeNumber(0),
      1,
    )
    .addHelpText(
      'after',
      '\nThe folder is one state of the collection, for any static host. A page shows <siltstone-search> after it loads' +
        '\nsiltstone-search.js of the folder, or uses the package @siltstone/reader. Everybody who can read the folder can read' +
        '\nall records. Vectors are rounded to one byte per dimension.' +
        '\nOf a site, attributes of Pagefind are honoured: data-pagefind-body, -ignore, -meta, -filter, -index-attrs.',
    )
    .action(async (name: string | undefined, options: PublishOptions) => {
      if ((name === undefined) === (options.site === undefined))
        throw invalid('nothing-to-publish', 'name a collection, or a site with --site', { field: 'collection' })
      if (name === undefined) await publishSite(options.site ?? '', options)
      else await publishCollection(name, options)
    })
}

async function publishCollection(name: string, options: PublishOptions): Promise<void> {
  const { out } = options
  if (out === undefined) throw invalid('no-directory', 'give the directory to write with --out', { field: '--out' })
  await Session.use(options, { create: false }, async (session) => {
    const info = await session.collection(name)
    const collection = await session.engine.collection(info.tenant, info.database, info.id)
    await inStaging(session.out, (staging) => write({ collection, staging, folder: out, out: session.out }, options))
  })
}

async function publishSite(site: string, options: PublishOptions): Promise<void> {
  const folder = options.out ?? `${site.replace(/[/\\]+$/, '')}/search`
  const out = new Output(options)
  await inStaging(out, async (environment) => {
    const { collection, close } = await siteCollection({ site, base: options.base, environment, models: systemModels })
    try {
      await inStaging(out, (staging) => write({ collection, staging, folder, out }, options))
    } finally {
      await close()
    }
  })
}

/** Gives a store that is removed afterwards. */
async function inStaging(out: Output, work: (staging: Environment) => Promise<void>): Promise<void> {
  const directory = await makeTemporaryDirectory()
  try {
    const staging = await openEnvironment(directory, { log: out.logger })
    try {
      await work(staging)
    } finally {
      await closeEnvironment(staging)
    }
  } finally {
    await removeTree(directory)
  }
}

interface Publication {
  collection: Collection
  staging: Environment
  folder: string
  out: Output
}

async function write(
  { collection, staging, folder, out }: Publication,
  { whole = false, graceHours }: PublishOptions,
): Promise<void> {
  const report = await publish({
    collection,
    staging,
    target: directoryTarget(folder),
    models: systemModels,
    modules: true,
    isWhole: whole,
    keepMs: graceHours * HOUR_MS,
  })
  const { records, version, files, sizeBytes, written, writtenBytes, removed, embedder, modules } = report
  await out.answer({ out: folder, ...report, modules: modules ?? [] }, () =>
    [
      `${plural(records, 'record')} of version ${version} in ${plural(files, 'file')}, ${bytes(sizeBytes)}: ${folder}`,
      `  ${plural(written, 'file')} with ${bytes(writtenBytes)} written, ${removed} removed`,
      ...(modules ? [] : ['  without a search box: npm install @siltstone/reader, and publish again']),
      ...(embedder ? [] : ['  without an embedder: pages have to bring the vectors of their queries']),
      '',
    ].join('\n'),
  )
}
