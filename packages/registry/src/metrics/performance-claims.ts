/**
 * `performance_claims`: how well claims of performance are supported. 0: there are none. 0.3: a number in prose. 0.6: a result
 * with task, dataset and metric, or a table of results. 0.8: it also says which configuration, and links its source. 1: the hub
 * verified it. A report of an evaluation that is attached replaces this by 1 − min(1, |claimed − observed| / (0.05 · |claimed|)).
 */
import { type Evidence, valueOf } from '../evidence/evidence.ts'
import { readReadme } from '../evidence/readme.ts'
import { type Claim, claimsOf, METRIC_WORD } from './claims.ts'
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'

const TOLERANCE = 0.05
const PROSE = new RegExp(`(?:${METRIC_WORD.source})[^\\d\\n]{0,40}\\d`, 'i')

export const performanceClaims: Metric = {
  name: 'performance_claims',
  reads: ['card', 'readme', 'reports', 'hub'],
  measure(evidence) {
    const { card, readme, reports } = evidence
    if (card.state === 'unknown' && readme.state === 'unknown') {
      return unknownMeasurement(`neither card nor README was read: ${readme.reason}`, readme.source)
    }
    const claims = claimsOf(valueOf(card) ?? {}).filter(({ value }) => value !== undefined)
    const agreement = agreementWithReports(evidence, claims)
    const isPartial = card.state === 'unknown' || readme.state === 'unknown' || reports.state === 'unknown'
    return measurement([agreement ?? strongestClaim(evidence, claims)], isPartial ? 'partial' : 'measured')
  },
}

function strongestClaim({ card, readme, hub }: Evidence, claims: readonly Claim[]): Reason {
  const full = claims.filter(
    ({ task, dataset, metric }) => task !== undefined && dataset !== undefined && metric !== undefined,
  )
  const verified = hub.state === 'found' ? full.find(({ isVerified }) => isVerified) : undefined
  if (verified !== undefined)
    return { text: `${nameOf(verified)}: verified by the hub`, source: card.source, points: 1 }
  const sourced = full.find(({ isPrecise, sourceUrl }) => isPrecise && sourceUrl !== undefined)
  if (sourced !== undefined) {
    const text = `${nameOf(sourced)}: with its configuration and a source, ${sourced.sourceUrl ?? ''}`
    return { text, source: card.source, points: 0.8 }
  }
  const [first] = full
  if (first !== undefined)
    return { text: `${nameOf(first)}: as data, without configuration or source`, source: card.source, points: 0.6 }
  const text = readReadme(valueOf(readme) ?? '')
  const table = text.tables.find((rows) => {
    const [head = [], ...body] = rows
    const names = [...head, ...body.map((row) => row[0] ?? '')]
    return (
      names.some((cell) => METRIC_WORD.test(cell)) &&
      body.some((row) => row.some((cell) => /^[*_~]*[-+]?\d+(?:\.\d+)?/.test(cell)))
    )
  })
  if (table !== undefined) {
    return { text: `a table of results in the README, ${table.length - 1} rows`, source: readme.source, points: 0.6 }
  }
  const sentence = PROSE.exec(text.prose)?.[0]
  if (sentence !== undefined) return { text: `a number in prose: "${sentence}…"`, source: readme.source, points: 0.3 }
  return { text: 'no claim of performance', source: readme.source, points: 0 }
}

function agreementWithReports({ reports }: Evidence, claims: readonly Claim[]): Reason | undefined {
  const pairs = (valueOf(reports) ?? []).flatMap((report) => {
    const claim = claims.find((each) => same(each.dataset, report.dataset) && same(each.metric, report.metric))
    return claim?.value === undefined ? [] : [{ claim, claimed: claim.value, report }]
  })
  if (pairs.length === 0) return undefined
  const values = pairs.map(({ claimed, report }) => agreement(claimed, report.observed))
  const worst = values.indexOf(Math.min(...values))
  const pair = pairs[worst]
  const text =
    pair === undefined
      ? ''
      : `${pairs.length} claims were evaluated again; furthest: ${nameOf(pair.claim)}, claimed ${pair.claimed}, observed ${pair.report.observed}`
  return {
    text,
    source: pair?.report.url ?? reports.source,
    points: values.reduce((sum, value) => sum + value, 0) / values.length,
  }
}

export function agreement(claimed: number, observed: number): number {
  const difference = Math.abs(claimed - observed)
  return difference === 0 ? 1 : 1 - Math.min(1, difference / (TOLERANCE * Math.abs(claimed)))
}

const same = (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase()
const nameOf = ({ metric, dataset }: Claim) => `${metric ?? 'result'} on ${dataset ?? 'an unnamed dataset'}`
