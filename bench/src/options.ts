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
  /** Empty: the scenario's own sizes. */
  records: number[]
  dimension: number
  seed: number
  /** `siltstone`, `siltstone@DIR` for another checkout, `chroma` or base URLs of running servers. */
  servers: string[]
  /** `siltstone` (as loaded), `siltstone-full` (after `compact --full`), `hnswlib`, `usearch`, `lancedb`. */
  peers: string[]
  /** `chromadb` (the unchanged JavaScript client) or `raw` (HTTP with connections kept). */
  clients: string[]
  batch: number
  queries: number
  k: number
  /** Knob values of the named peers: `siltstone=8,16`. */
  values: Map<string, number[]>
  rounds: number
  repeat: number
  delayMs: number
  keep: boolean
  rebuild: boolean
  label: string | undefined
}

export const USAGE = `Usage: npm run bench -- SCENARIO… [options]
       npm run bench -- report       writes RESULTS.md and the plots from results/*.json

  --data DIR         passages.arrow and queries.arrow (default: the variable SILTSTONE_BENCH_DATA);
                     "none": generated vectors
  --records LIST     numbers of records, one run each (default: the scenario's); beyond the passages, derived ones
  --dimension N      dimension of generated vectors (default 384)
  --seed N           seed of generated data and samples (default 1)
  --servers LIST     siltstone, siltstone@DIR (of another checkout, to compare two versions), chroma, or
                     base URLs of running servers (default siltstone,chroma)
  --clients LIST     chromadb (the unchanged JavaScript client), raw (HTTP); default chromadb,raw
  --peers LIST       default siltstone,siltstone-full,hnswlib,usearch,lancedb; -full: merged into one segment
  --values SPEC      values of a peer's knob, such as siltstone=900,990 (recall to ask for,
                     in thousandths; 0 measures all records); repeatable; for "recall", kinds=0,1,
                     k=10,1,100 and states=0,1,2 (changed, sampled, in several segments) or 3 (one segment);
                     for "sustained", rate=10000 and seconds=300; for "writers", delay=30 and writers=1,4;
                     for "compactors", compactors=1,2, memory=32 and cores=1
  --k N              number of nearest neighbours (default 10)
  --batch N          records per write (default 1000)
  --queries N        number of different queries (default 1000)
  --rounds N         turns of each candidate (default 5)
  --repeat N         runs of a long measurement (default 3)
  --delay-ms N       delay of each request to storage, for "cold" (default 63)
  --rebuild          build stores and peers' indexes again, after a change of the program or for times of one run
  --keep             keep stores that would be removed
  --label NAME       store the result under this label, apart from the usual one
`

export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      data: { type: 'string' },
      records: { type: 'string', default: '' },
      dimension: { type: 'string', default: '384' },
      seed: { type: 'string', default: '1' },
      servers: { type: 'string', default: 'siltstone,chroma' },
      clients: { type: 'string', default: 'chromadb,raw' },
      peers: { type: 'string', default: 'siltstone,siltstone-full,hnswlib,usearch,lancedb' },
      values: { type: 'string', multiple: true, default: [] },
      k: { type: 'string', default: '10' },
      batch: { type: 'string', default: '1000' },
      queries: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '5' },
      repeat: { type: 'string', default: '3' },
      'delay-ms': { type: 'string', default: '63' },
      rebuild: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      label: { type: 'string' },
    },
  })
  return {
    scenarios: values.help ? [] : positionals,
    data: dataDirectory(values.data),
    records: list(values.records).map((text) => whole('records', text)),
    dimension: whole('dimension', values.dimension),
    seed: whole('seed', values.seed),
    servers: list(values.servers),
    clients: list(values.clients),
    peers: list(values.peers),
    values: new Map(values.values.map(knobValues)),
    batch: whole('batch', values.batch),
    queries: whole('queries', values.queries),
    k: whole('k', values.k),
    rounds: whole('rounds', values.rounds),
    repeat: whole('repeat', values.repeat),
    delayMs: whole('delay-ms', values['delay-ms']),
    keep: values.keep,
    rebuild: values.rebuild,
    label: values.label,
  }
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '')
}

function knobValues(text: string): [string, number[]] {
  const [name = '', numbers = ''] = text.split('=')
  if (numbers === '') throw new Error(`--values ${text}: give a peer and numbers, such as siltstone=8,16`)
  return [name, list(numbers).map((value) => whole('values', value))]
}

function dataDirectory(given = DEFAULT_DATA): string | undefined {
  if (given === undefined || given === 'none') return undefined
  const directory = resolve(given)
  if (!existsSync(directory) || !hasPassages(directory))
    throw new Error(
      `--data ${given}: passages.arrow and queries.arrow are missing; use "--data none" to generate vectors`,
    )
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
