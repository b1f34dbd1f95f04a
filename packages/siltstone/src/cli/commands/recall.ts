import type { Command } from 'commander'
import { Option } from 'commander'
import { measureRecall } from '../../engine/recall.ts'
import type { QuerySource, RecallReport } from '../../model/maintenance.ts'
import { invalid } from '../../errors.ts'
import { andFilters, parseWhere, parseWhereDocument } from '../../filter/index.ts'
import type { ExactJson } from '../../records/exact-json.ts'
import { readFileText } from '../../host/files.ts'
import { exactJson, recall, vector, wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface RecallOptions extends CommonOptions {
  k: number
  samples: number
  queries?: string
  where?: ExactJson
  whereDocument?: ExactJson
  recall?: number
  source: QuerySource
}

export function recallCommand(): Command {
  const made = command('recall <collection>', 'measure which fraction of the nearest records queries find', [
    'recall notes',
    `recall notes --where '{"year":2024}' -k 20 --samples 500 --json`,
    'recall notes --queries vectors.txt',
  ])
  return withStoreOptions(made)
    .option('-k, --k <n>', 'nearest records', wholeNumber(1), 10)
    .option('--samples <n>', 'number of queries, made of random records', wholeNumber(1), 200)
    .addOption(
      new Option(
        '--source <kind>',
        'mixed: records moved apart from all others, and middles of two, as real queries lie apart; ' +
          'records: records, which do not count as their own neighbours',
      )
        .choices(['mixed', 'records'])
        .default('mixed'),
    )
    .option('--queries <file>', 'use these queries instead: one vector of comma-separated numbers per line')
    .option('--where <json>', 'only records whose metadata match', exactJson)
    .option('--where-document <json>', 'only records whose text matches', exactJson)
    .option('--recall <share>', 'share of the nearest records that queries find on average (default: 0.95)', recall)
    .action((name: string, options: RecallOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const filter = andFilters(
          options.where === undefined ? undefined : parseWhere(options.where, 'exact'),
          options.whereDocument === undefined ? undefined : parseWhereDocument(options.whereDocument),
        )
        const report = await measureRecall(collection, {
          k: options.k,
          samples: options.samples,
          source: options.source,
          random: session.engine.env.random,
          ...(options.queries !== undefined && { vectors: await readVectors(options.queries) }),
          ...(filter && { filter }),
          ...(options.recall !== undefined && { search: { recall: options.recall } }),
        })
        await session.out.answer({ ...report }, () => lineOf(report))
      }),
    )
}

const SOURCES = {
  mixed: 'queries made apart from the records',
  records: 'records as queries',
  given: 'given queries',
  real: 'queries of users',
} as const

function lineOf({ k, recall: mean, interval, queries, source, p10, worst }: RecallReport): string {
  const [low, high] = interval.map((bound) => bound.toFixed(4)) as [string, string]
  return (
    `recall@${k} ${mean.toFixed(4)} (95 % interval ${low} to ${high}) over ${queries} ${SOURCES[source]} ` +
    `(10th percentile ${p10.toFixed(2)}, worst ${worst.toFixed(2)})\n`
  )
}

async function readVectors(file: string): Promise<Float32Array[]> {
  const lines = (await readFileText(file)).split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0)
    throw invalid('nothing-to-query', `${file} has no vectors; write one per line`, { field: '--queries' })
  return lines.map(vector)
}
