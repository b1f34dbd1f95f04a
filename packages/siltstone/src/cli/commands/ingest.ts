import type { Command } from 'commander'
import { Option } from 'commander'
import { type CollectionInfo, type Space, SPACES } from '../../model/collection.ts'
import { isSiltstoneError } from '../../errors.ts'
import { newConfiguration } from '../../library/configuration.ts'
import { command } from '../command.ts'
import { eachDocument, findDocuments, Ingest, newTally } from '../../ingest/index.ts'
import { bytes, plural } from '../format.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

/** Of files that are named in an answer. */
const MOST_NAMES = 10
const LIMITS = { files: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER, fileBytes: 64 * 1024 * 1024 }

interface IngestOptions extends CommonOptions {
  space: Space
  force?: boolean
}

export function ingestCommand(): Command {
  const made = command('ingest <collection> <paths...>', 'split text files into passages, embed and write them', [
    'ingest notes ~/notes',
    'ingest docs README.md docs --space cosine',
  ])
  return withEmbedders(withStoreOptions(made))
    .addOption(
      new Option('--space <space>', 'distance of the collection, if it is created').choices(SPACES).default('cosine'),
    )
    .option('--force', 'ingest unchanged files again, too')
    .addHelpText(
      'after',
      '\nMarkdown and plain text. Each passage is a record with the metadata source, heading, position and hash. Ingesting a' +
        '\nfile again replaces its passages; unchanged files are skipped.',
    )
    .action(async (name: string, paths: string[], options: IngestOptions) => {
      // Before a store is made: a path that is wrong must not leave one behind.
      const candidates = await findDocuments(paths)
      await Session.use(options, { create: true, collection: name }, async (session) => {
        const info = await target(session, name, options)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const ingest = new Ingest({
          collection,
          embedder: async () =>
            session.registry.forCollection({
              embeddingFunction: info.configuration['embedding_function'],
              dimension: await collection.dimension(),
            }),
          force: options.force === true,
        })
        const tally = newTally()
        for await (const file of eachDocument(candidates, LIMITS, tally)) {
          await session.out.progress(`${tally.read} of ${candidates.length} files: ${file.source} …`)
          await ingest.file(file)
        }
        await ingest.flush()
        await session.out.endProgress()
        const { duplicates, omitted } = tally
        const { counts, withoutText } = ingest
        const result = {
          collection: info.name,
          ...counts,
          bytes: tally.bytes,
          duplicates,
          tooLarge: omitted,
          withoutText,
        }
        await session.out.answer(
          result,
          () =>
            [
              `${plural(result.files, 'file')} (${bytes(tally.bytes)}): ${plural(result.passages, 'passage')} written to ${info.name}`,
              ...(result.unchanged > 0 ? [`${plural(result.unchanged, 'file')} unchanged`] : []),
              ...(result.removed > 0 ? [`${plural(result.removed, 'old passage')} removed`] : []),
              ...(duplicates > 0 ? [`${plural(duplicates, 'copy', 'copies')} skipped`] : []),
              ...(omitted > 0 ? [`${plural(omitted, 'file')} too large`] : []),
            ].join(', ') +
            '.\n' +
            (withoutText.length === 0 ? '' : `Without text beside headings and code: ${some(withoutText)}.\n`),
        )
      })
    })
}

function some(names: readonly string[]): string {
  const more = names.length - MOST_NAMES
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

async function target(
  session: Session,
  name: string,
  { tenant, database, space }: IngestOptions,
): Promise<CollectionInfo> {
  try {
    return await session.collection(name)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    const configuration = newConfiguration({ configuration: { hnsw: { space } } })
    const request = { tenant, database, name, getOrCreate: true, metadata: null, schema: null, ...configuration }
    return (await session.engine.catalog.createCollection(request)).info
  }
}
