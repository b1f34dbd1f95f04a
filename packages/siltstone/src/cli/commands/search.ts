import type { Command } from 'commander'
import { Option } from 'commander'
import type { CollectionInfo } from '../../model/collection.ts'
import type { ReadLevel } from '../../model/read.ts'
import { saysKeys } from '../../model/schema.ts'
import type { ExactJson } from '../../records/exact-json.ts'
import { noLimits, parseSearch, prepare } from '../../search/index.ts'
import { exactJson, version } from '../arguments.ts'
import { command } from '../command.ts'
import { printSearch } from '../print-search.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

interface SearchCommandOptions extends CommonOptions {
  at?: number
  level: ReadLevel
  explain?: boolean
}

/** What is shown if the search selects nothing. */
const SHOWN = ['#document', '#metadata', '#score']

export function searchCommand(): Command {
  const made = command(
    'search <collection>',
    'rank records by an expression over searches, as Chroma’s search API does',
    [
      `search notes '{"rank":{"$knn":{"query":"overdue invoices"}},"limit":{"limit":5}}'`,
      `search notes '{"filter":{"year":{"$gte":2024}},"facets":{"keys":["source"]},"limit":{"limit":0}}'`,
    ],
  )
  return withEmbedders(withStoreOptions(made))
    .argument('<json>', 'the search', exactJson)
    .option('--at <version>', 'read an earlier state: a version, or the name of a snapshot', version)
    .addOption(
      new Option('--level <level>', 'consistency: every write, a state up to a second old, or the snapshot alone')
        .choices(['strong', 'bounded', 'index'])
        .default('strong'),
    )
    .option('--explain', 'show what each $knn adds to each score')
    .action((name: string, json: ExactJson, options: SearchCommandOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const { search } = parseSearch(withColumns(json), 'search', noLimits, 'exact')
        const info = await session.collection(name)
        const { schema } = info
        const searches = await prepare([search], {
          schema,
          needsIndex: saysKeys(schema),
          embed: (texts) => embed(session, info, texts),
        })
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const { explain = false, at, level } = options
        const answer = await collection.search({ searches, explain, ...(at === undefined ? { level } : { at }) })
        await printSearch(session.out, answer)
      }),
    )
}

function withColumns(json: ExactJson): ExactJson {
  if (!(json instanceof Map) || json.get('select')) return json
  return new Map([...json, ['select', new Map([['keys', SHOWN]])]])
}

async function embed(session: Session, info: CollectionInfo, texts: readonly string[]): Promise<Float32Array[]> {
  const embedder = session.registry.forCollection({
    embeddingFunction: info.configuration['embedding_function'],
    dimension: info.dimension,
  })
  return embedder.embed(texts)
}
