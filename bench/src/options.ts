import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Dataset } from './data/dataset.ts'
import { deriveDataset } from './data/derived.ts'
import { generateDataset } from './data/generated.ts'
import { hasPassages, loadPassages } from './data/passages.ts'
import { DEFAULT_DATA } from './places.ts'

export interface Options {
  scenarios: string[]
  data: string | undefined
  records: number | undefined
  dimension: number
  seed: number
  /** `siltstone`, `chroma` or base URLs of servers that run already. */
  servers: string[]
  batch: number
  queries: number
  rounds: number
  repeat: number
  delayMs: number
  keep: boolean
}

export const USAGE = `Usage: npm run bench -- SCENARIO… [options]

  --data DIR         passages.arrow and queries.arrow (default ../shared/data beside the repository, if it is there);
                     "none": generated vectors
  --records N        how many records (default: the scenario's)
  --dimension N      of generated vectors (default 384)
  --seed N           of what is generated or chosen (default 1)
  --servers LIST     siltstone, chroma, or base URLs of running servers (default siltstone,chroma)
  --batch N          records a write (default 1000)
  --queries N        different queries (default 400)
  --rounds N         turns that the candidates take (default 8)
  --repeat N         runs of a long measurement (default 1)
  --delay-ms N       before each request to storage, for "cold" (default 63)
  --keep             keep the stores that were made, under bench/.data
`

export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      records: { type: 'string' },
      dimension: { type: 'string', default: '384' },
      seed: { type: 'string', default: '1' },
      servers: { type: 'string', default: 'siltstone,chroma' },
      batch: { type: 'string', default: '1000' },
      queries: { type: 'string', default: '400' },
      rounds: { type: 'string', default: '8' },
      repeat: { type: 'string', default: '1' },
      'delay-ms': { type: 'string', default: '63' },
      keep: { type: 'boolean', default: false },
    },
  })
  return {
    scenarios: positionals,
    data: dataDirectory(values.data),
    records: values.records === undefined ? undefined : whole('records', values.records),
    dimension: whole('dimension', values.dimension),
    seed: whole('seed', values.seed),
    servers: values.servers.split(',').filter((name) => name !== ''),
    batch: whole('batch', values.batch),
    queries: whole('queries', values.queries),
    rounds: whole('rounds', values.rounds),
    repeat: whole('repeat', values.repeat),
    delayMs: whole('delay-ms', values['delay-ms']),
    keep: values.keep,
  }
}

function dataDirectory(given: string | undefined): string | undefined {
  if (given === 'none') return undefined
  if (given === undefined) return hasPassages(DEFAULT_DATA) ? DEFAULT_DATA : undefined
  const directory = resolve(given)
  if (!existsSync(directory) || !hasPassages(directory))
    throw new Error(`--data ${given}: passages.arrow and queries.arrow are not there; "--data none" generates vectors`)
  return directory
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${text}: give a whole number`)
  return value
}

/** The first `count` records of the passages, more of them derived, or all generated. */
export function openDataset({ data, dimension, seed }: Options, count: number): Dataset {
  if (data === undefined) return generateDataset(count, dimension, seed)
  const passages = loadPassages(data, count)
  return count > passages.count ? deriveDataset(passages, count, seed) : passages
}
