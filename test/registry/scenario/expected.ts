/** What each attribute of a rating has to be, from the definitions of the metrics, and not from the code that computes them. */
import type { ModelSpec } from './world.ts'

const LICENCES: Readonly<Record<string, number>> = {
  'apache-2.0': 1,
  mit: 1,
  'bsd-3-clause': 1,
  'cc-by-4.0': 0.8,
  'lgpl-3.0': 0.8,
  'gpl-3.0': 0.5,
  openrail: 0.5,
  'agpl-3.0': 0.4,
  llama3: 0.4,
  'cc-by-nc-4.0': 0.1,
}
const CLAIMS = { none: 0, prose: 0.3, table: 0.6, index: 0.8 }
const WEIGHTS: Readonly<Record<string, number>> = {
  license: 0.15,
  ramp_up_time: 0.1,
  bus_factor: 0.1,
  performance_claims: 0.1,
  dataset_and_code_score: 0.1,
  dataset_quality: 0.1,
  code_quality: 0.1,
  reproducibility: 0.1,
  reviewedness: 0.05,
  tree_score: 0.05,
  size_score: 0.05,
}
const GIB = 2 ** 30
const BUDGETS = { raspberry_pi: 2 * GIB, jetson_nano: 4 * GIB, desktop_pc: 16 * GIB, aws_server: 64 * GIB }

/** The names of the attributes: the net score and the eleven metrics. */
export const ATTRIBUTES = ['net_score', ...Object.keys(WEIGHTS)]

export type RatingBody = Readonly<Record<string, unknown>>

/** The lowest and the highest right value; both ends belong to it. */
type Range = readonly [number, number]
const exactly = (value: number): Range => [value, value]

/** @param parentScore the net score of the registered parent; undefined: there is none */
export function isRight(
  attribute: string,
  spec: ModelSpec,
  body: RatingBody,
  parentScore: number | undefined,
): boolean {
  const latency = body[`${attribute}_latency`]
  if (typeof latency !== 'number' || !(latency >= 0)) return false
  if (attribute === 'size_score') {
    const devices = body[attribute] as Readonly<Record<string, number>>
    return Object.entries(BUDGETS).every(([device, budget]) => isClose(devices[device], fit(spec, budget)))
  }
  if (attribute === 'net_score') return isClose(body[attribute], netScoreOf(spec, body))
  const [low, high] = rangeOf(attribute, spec, parentScore)
  const value = body[attribute]
  return typeof value === 'number' && value >= low - 1e-9 && value <= high + 1e-9
}

function rangeOf(attribute: string, spec: ModelSpec, parentScore: number | undefined): Range {
  const { licence, claims = 'none', dataset, hasCode = false, sections = [], parent } = spec
  const hasSnippet = sections.includes('Usage')
  switch (attribute) {
    case 'license':
      return exactly(licence === undefined ? 0 : (LICENCES[licence] ?? Number.NaN))
    case 'bus_factor':
      // The linked repository of code has two authors with one commit each.
      return exactly(spread(hasCode ? [1, 1] : spec.commits))
    case 'performance_claims':
      return exactly(CLAIMS[claims])
    case 'dataset_and_code_score':
      return exactly((dataset === undefined ? 0 : 0.5) + (hasCode ? 0.5 : 0))
    case 'dataset_quality':
      // Card, licence, size, features; no provenance; 99 downloads.
      return exactly(dataset === undefined ? 0 : 0.2 + 0.2 + 0.15 + 0.2 + (0.1 * Math.log10(100)) / 6)
    case 'code_quality':
      return hasCode ? [0.3, 0.9] : exactly(0)
    case 'reproducibility':
      return hasSnippet || hasCode ? [0.5, 0.75] : exactly(0)
    case 'reviewedness':
      return exactly(hasCode ? 0.75 : -1)
    case 'tree_score':
      return exactly(parent === undefined ? 1 : (parentScore ?? 0))
    case 'ramp_up_time': {
      // Sections, snippet, pipeline and library; the words of so short a text add little.
      const least = 0.06 * sections.length + (hasSnippet ? 0.25 : 0) + 0.15
      return [least, least + 0.1]
    }
    default:
      return exactly(Number.NaN)
  }
}

function spread(commits: readonly number[]): number {
  const all = commits.reduce((sum, count) => sum + count, 0)
  const entropy = commits.reduce((sum, count) => sum - (count / all) * Math.log(count / all), 0)
  return Math.min(1, (Math.exp(entropy) - 1) / 4)
}

const fit = ({ weightBytes }: ModelSpec, budget: number) =>
  Math.min(1, Math.max(0, 2 * (1 - (1.2 * weightBytes) / budget)))

/** From the other attributes of the answer; what is not applicable is left out. */
function netScoreOf(spec: ModelSpec, body: RatingBody): number {
  let sum = 0
  let weights = 0
  for (const [name, weight] of Object.entries(WEIGHTS)) {
    const isLeftOut =
      (name === 'reviewedness' && spec.hasCode !== true) || (name === 'tree_score' && spec.parent === undefined)
    if (isLeftOut) continue
    weights += weight
    sum += weight * (name === 'size_score' ? mean(Object.values(body[name] as object)) : (body[name] as number))
  }
  return sum / weights
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const isClose = (value: unknown, wanted: number) => typeof value === 'number' && Math.abs(value - wanted) < 1e-6
