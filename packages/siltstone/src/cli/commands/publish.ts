import type { Command } from 'commander'
import { closeEnvironment, openEnvironment } from '../../drivers/directory/directory-environment.ts'
import { isUrl, schemeAt } from '../../drivers/open-environment.ts'
import { openS3BlobsAt } from '../../drivers/open-s3-blobs.ts'
import { invalid } from '../../errors.ts'
import { makeTemporaryDirectory, removeTree } from '../../host/files.ts'
import { systemModels } from '../../host/model-host.ts'
import { onStopSignal } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import type { Collection } from '../../model/store.ts'
import type { Environment } from '../../ports/environment.ts'
import { bucketTarget } from '../../publish/bucket-target.ts'
import { directoryTarget } from '../../publish/directory-target.ts'
import { publish } from '../../publish/publish.ts'
import type { PublishTarget } from '../../publish/publish-target.ts'
import { siteCollection, stateOfSite } from '../../publish/site-collection.ts'
import { watch } from '../../publish/watch.ts'
import { wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { bytes, plural } from '../format.ts'
import { Output } from '../output.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface PublishOptions extends CommonOptions {
  out?: string
  site?: string
  base: string
  whole?: boolean
  watch?: boolean
  graceHours: number
}

const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 1_000
/** Looking at a bucket is a request that is paid for. */
const LOOK_AT_BUCKET_EVERY_MS = 10_000

export function publishCommand(): Command {
  const made = command(
    'publish [collection]',
    'write a collection, or a built site, as files that pages search without a server',
    [
      'publish notes --out ./public/search',
      'publish --site ./dist',
      'publish notes --out s3://my-site/search',
      'publish --site ./dist --watch',
    ],
  )
  return withStoreOptions(made)
    .option(
      '--out <place>',
      'directory, or s3://bucket/prefix, to write, where an earlier publication is continued; default of a site: search in it',
    )
    .option(
      '--site <directory>',
      'publish the HTML pages of a built site instead of a collection: a passage per heading',
    )
    .option('--base <path>', 'the path at which the site is served', '/')
    .option('--watch', 'publish again whenever the collection or the site changes, until Ctrl-C')
    .option('--whole', 'publish everything again, not only what changed')
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
        '\nOf a site, attributes of Pagefind are honoured: data-pagefind-body, -ignore, -meta, -default-meta, -filter, -sort, -index-attrs.' +
        '\nIn a bucket, objects get their types and what caches may do with them; the bucket has to let pages read them.',
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
    const publication = await publicationOf(out, options, session.out)
    await repeatedly(publication, isUrl(options.data) ? LOOK_AT_BUCKET_EVERY_MS : LOOK_EVERY_MS, {
      look: async () => {
        const { version, unsequencedDeltas } = await collection.state()
        return `${version} ${unsequencedDeltas}`
      },
      publish: (signal) => inStaging(session.out, (staging) => write(publication, { collection, staging, signal })),
    })
  })
}

async function publishSite(site: string, options: PublishOptions): Promise<void> {
  const folder = options.out ?? `${site.replace(/[/\\]+$/, '')}/search`
  const out = new Output(options)
  const publication = await publicationOf(folder, options, out)
  await repeatedly(publication, LOOK_EVERY_MS, {
    look: () => stateOfSite(site),
    publish: (signal) =>
      inStaging(out, async (environment) => {
        const request = { site, base: options.base, environment, models: systemModels }
        const { collection, close } = await siteCollection(request)
        try {
          await inStaging(out, (staging) => write(publication, { collection, staging, signal }))
        } finally {
          await close()
        }
      }),
  })
}

interface Publication {
  folder: string
  target: PublishTarget
  options: PublishOptions
  out: Output
}

async function publicationOf(folder: string, options: PublishOptions, out: Output): Promise<Publication> {
  return { folder, target: await targetAt(folder, out), options, out }
}

/** @throws SiltstoneError `invalid` (bad-target, bad-s3-url), `unsupported` (aws-sdk-missing) */
async function targetAt(folder: string, out: Output): Promise<PublishTarget> {
  if (!isUrl(folder)) return directoryTarget(folder)
  if (schemeAt(folder) === 's3') return bucketTarget(await openS3BlobsAt(folder, { log: out.logger }))
  throw invalid('bad-target', `${folder} is no folder of files; give a directory, or s3://bucket/prefix`, {
    field: '--out',
  })
}

interface Repeated {
  look(): Promise<string>
  publish(signal: AbortSignal): Promise<void>
}

/** Once, or with `--watch` until a signal to stop; a second one ends the process at once. */
async function repeatedly({ options, out }: Publication, everyMs: number, work: Repeated): Promise<void> {
  const stop = new AbortController()
  if (options.watch !== true) return work.publish(stop.signal)
  const stopListening = onStopSignal(() => stop.abort())
  try {
    await watch({
      clock: systemClock,
      signal: stop.signal,
      everyMs,
      look: () => work.look(),
      publish: () => work.publish(stop.signal),
      onError: ({ message }) => out.note(`not published, and tried again: ${message}`),
    })
  } finally {
    stopListening()
  }
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

async function write(
  { folder, target, options, out }: Publication,
  sources: { collection: Collection; staging: Environment; signal: AbortSignal },
): Promise<void> {
  const report = await publish({
    ...sources,
    target,
    models: systemModels,
    modules: true,
    isWhole: options.whole === true,
    keepMs: options.graceHours * HOUR_MS,
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
