import type { Command } from 'commander'
import { type CollectionInfo, type Space, SPACES } from '../../model/collection.ts'
import { invalid } from '../../errors.ts'
import { textFieldsOf, withTexts } from '../../model/schema.ts'
import type { Language } from '../../model/text-fields.ts'
import { metadataFromJson, metadataToPlain } from '../../records/index.ts'
import { InvalidArgumentError, Option } from 'commander'
import { newConfiguration } from '../../library/configuration.ts'
import { exactJson, textLanguages } from '../arguments.ts'
import { command, group } from '../command.ts'
import { bytes, count, list, plural, table, time } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

function toShown(info: CollectionInfo) {
  const { metadata, ...rest } = info
  return { ...rest, metadata: metadataToPlain(metadata) }
}

function listCommand(): Command {
  return withStoreOptions(command('list', 'list the collections of a database', ['collections list --data ./data']))
    .option('--count', 'count the records of each collection, records in the log included')
    .action((options: CommonOptions & { count?: boolean }) =>
      Session.use(options, { create: false }, async ({ out, engine }) => {
        const infos = await engine.catalog.listCollections(options.tenant, options.database)
        infos.sort((a, b) => (a.name < b.name ? -1 : 1))
        const counts = await Promise.all(
          infos.map(async ({ tenant, database, id }) =>
            options.count ? (await engine.collection(tenant, database, id)).count() : undefined,
          ),
        )
        const rows = infos.map((info, i) => ({
          ...toShown(info),
          ...(counts[i] !== undefined && { count: counts[i] }),
        }))
        await out.answer(rows, () =>
          table(
            rows,
            [
              { title: 'NAME', value: (row) => row.name, maxWidth: 50 },
              { title: 'SPACE', value: (row) => row.space },
              { title: 'DIMENSION', value: (row) => row.dimension, right: true },
              ...(options.count
                ? [{ title: 'RECORDS', value: (row: (typeof rows)[number]) => count(row.count ?? 0), right: true }]
                : []),
              { title: 'CREATED', value: (row) => time(row.createdAtMs) },
              { title: 'ID', value: (row) => row.id },
            ],
            `No collections in ${options.tenant}/${options.database}.`,
          ),
        )
      }),
    )
}

function showCommand(): Command {
  return withStoreOptions(
    command('show <collection>', 'show a collection: settings, records, snapshots', ['collections show notes']),
  ).action((name: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const info = await session.collection(name)
      const collection = await session.engine.collection(info.tenant, info.database, info.id)
      const [records, status, snapshots] = await Promise.all([
        collection.count(),
        collection.indexingStatus(),
        collection.snapshots(),
      ])
      const current = snapshots.find(({ current }) => current)
      await session.out.answer({ ...toShown(info), records, indexing: status, snapshot: current ?? null }, () =>
        list([
          ['name', info.name],
          ['id', info.id],
          ['tenant/database', `${info.tenant}/${info.database}`],
          ['records', count(records)],
          ['dimension', info.dimension],
          ['space', info.space],
          ['metadata', info.metadata],
          ['created', time(info.createdAtMs)],
          ['inbox', info.inbox ? 'open to producers' : 'closed to producers'],
          ['operations', `${count(status.totalOps)}, ${count(status.unindexedOps)} of them not compacted yet`],
          [
            'snapshot',
            current && `${current.name}: ${plural(current.segments, 'segment')}, ${bytes(current.sizeBytes)}`,
          ],
          ['kept snapshots', snapshots.length],
        ]),
      )
    }),
  )
}

interface CreateOptions extends CommonOptions {
  space: Space
  metadata?: string
  inbox: boolean
  ifMissing?: boolean
  text?: Record<string, Language>
}

function createCommand(): Command {
  return withStoreOptions(
    command('create <collection>', 'create a collection', [
      'collections create notes',
      `collections create notes --space cosine --metadata '{"owner":"me"}'`,
      'collections create notes --text title=english,tags=none',
    ]),
  )
    .addOption(new Option('--space <space>', 'distance').choices(SPACES).default('l2'))
    .option('--metadata <json>', 'metadata of the collection', metadataText)
    .option(
      '--text <keys>',
      'metadata keys whose words are searched, with their language: title=english,tags=none',
      textLanguages,
    )
    .option('--no-inbox', 'accept no deltas from bare producers (saves each write one listing)')
    .option('--if-missing', 'do nothing if the collection exists')
    .action((name: string, options: CreateOptions) =>
      Session.use(options, { create: true, collection: name }, async (session) => {
        const { info, created } = await session.engine.catalog.createCollection({
          tenant: options.tenant,
          database: options.database,
          name,
          getOrCreate: options.ifMissing === true,
          metadata: options.metadata ?? null,
          schema: options.text ? withTexts(null, options.text) : null,
          inbox: options.inbox,
          ...newConfiguration({ configuration: { hnsw: { space: options.space } } }),
        })
        await session.out.answer({ ...toShown(info), created }, () =>
          created ? `Created ${info.name} (${info.id}).\n` : `${info.name} (${info.id}) exists already.\n`,
        )
      }),
    )
}

function metadataText(text: string): string | undefined {
  try {
    return metadataFromJson(exactJson(text), 'metadata', 'add', 'exact') ?? undefined
  } catch (error) {
    throw error instanceof InvalidArgumentError ? error : new InvalidArgumentError((error as Error).message)
  }
}

function deleteCommand(): Command {
  return withStoreOptions(
    command('delete <collection>', 'delete a collection with all its records', ['collections delete notes --yes']),
  )
    .option('--yes', 'confirm the deletion')
    .action((name: string, options: CommonOptions & { yes?: boolean }) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        if (!options.yes) await confirmDeletion(info.name, (question) => session.out.ask(question))
        await session.engine.catalog.deleteCollection(info.tenant, info.database, info.name)
        await session.out.answer({ deleted: info.name, id: info.id }, () => `Deleted ${info.name}.\n`)
      }),
    )
}

/**
 * @param ask at the terminal, where there is one
 * @throws SiltstoneError `invalid` (not-confirmed)
 */
export async function confirmDeletion(
  name: string,
  ask: (question: string) => Promise<string | undefined>,
): Promise<void> {
  const what = `this deletes ${name} and all its records permanently`
  const answer = await ask(`${what[0]?.toUpperCase()}${what.slice(1)}. Type its name to confirm: `)
  if (answer?.trim() === name) return
  const why = answer === undefined ? `${what}; confirm with --yes` : `nothing was deleted: that is not "${name}"`
  throw invalid('not-confirmed', why, { field: '--yes' })
}

function renameCommand(): Command {
  return withStoreOptions(
    command('rename <collection> <name>', 'rename a collection', ['collections rename notes letters']),
  ).action((name: string, newName: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const info = await session.collection(name)
      await session.engine.catalog.changeCollection(info.tenant, info.database, info.id, { newName })
      await session.out.answer({ id: info.id, name: newName }, () => `Renamed ${info.name} to ${newName}.\n`)
    }),
  )
}

function textCommand(): Command {
  return withStoreOptions(
    command('text <collection> <keys>', 'choose further texts that are searched by words, or another language', [
      'collections text notes title=english,tags=none',
    ]),
  ).action((name: string, keys: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const { tenant, database, id, schema } = await session.collection(name)
      const newSchema = withTexts(schema, textLanguages(keys))
      await session.engine.catalog.changeCollection(tenant, database, id, { newSchema })
      const texts = textFieldsOf(newSchema)
      await session.out.answer({ id, texts }, () =>
        [
          `Searched by words: ${texts.map(({ key, language }) => `${key} (${language})`).join(', ')}.`,
          `Older segments get the index when they are merged next, and at once with: siltstone compact ${name} --full`,
          '',
        ].join('\n'),
      )
    }),
  )
}

function forkCommand(): Command {
  return withStoreOptions(
    command('fork <collection> <name>', 'copy a collection; both share the stored segments', [
      'collections fork notes notes-experiment',
    ]),
  ).action((name: string, newName: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const info = await session.collection(name)
      const collection = await session.engine.collection(info.tenant, info.database, info.id)
      const fork = await collection.fork(newName)
      await session.out.answer(toShown(fork), () => `Forked ${info.name} as ${fork.name} (${fork.id}).\n`)
    }),
  )
}

export function collectionsCommand(): Command {
  return group('collections', 'list, show, create, delete, rename and fork collections', [
    listCommand(),
    showCommand(),
    createCommand(),
    deleteCommand(),
    renameCommand(),
    textCommand(),
    forkCommand(),
  ])
}
