import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  type Assumptions,
  ASSUMPTIONS,
  type Bill,
  type CostReport,
  DEFAULT_WORKLOAD,
  type PriceItem,
  type PriceList,
  PRICES,
  reportOf,
  reportOfCounters,
  type ScaleRow,
  scaleOf,
  type UnitCosts,
  type Workload,
} from '../../cost/index.ts'
import { invalid } from '../../errors.ts'
import { readFileText } from '../../host/files.ts'
import { systemHttp } from '../../ports/http.ts'
import { systemClock } from '../../host/system-clock.ts'
import { command } from '../command.ts'
import { bytes, count, list, table } from '../format.ts'
import { Output } from '../output.ts'
import { withOutputOptions } from '../session.ts'

interface CostOptions extends Workload {
  metrics?: string[]
  hours?: number
  prices?: string
  set?: Record<string, number>
  freeTier?: boolean
  scale?: boolean
  json?: boolean
  debug?: boolean
}

/** Numbers of records of `--scale`. */
const SCALES = [1e7, 1e8, 1e9]

/** Options of the workload: field, flags, description. */
const NUMBERS = [
  ['records', '--records <n>', 'records kept'],
  ['dimension', '--dimension <n>', 'dimension of their vectors'],
  ['documentBytes', '--document-bytes <n>', 'bytes of a record’s document'],
  ['metadataBytes', '--metadata-bytes <n>', 'bytes of a record’s metadata and id'],
  ['writes', '--writes <n>', 'records written per month'],
  ['writeBatch', '--write-batch <n>', 'records per write request'],
  ['writeHours', '--write-hours <n>', 'hours of the month with writes; 730 is all'],
  ['coldQueries', '--cold-queries <n>', 'queries per month that find nothing in memory'],
  ['warmQueries', '--warm-queries <n>', 'queries per month that find everything in memory'],
  ['answerBytes', '--answer-bytes <n>', 'bytes of a query’s answer, sent to the internet'],
  ['objects', '--objects <n>', 'documents, images and e-mails uploaded per month that become searchable'],
  ['objectBytes', '--object-bytes <n>', 'bytes of one of them'],
  ['recordings', '--recordings <n>', 'audio and video uploaded per month that becomes searchable'],
  ['recordingMinutes', '--recording-minutes <n>', 'length of a recording'],
  ['recordingBytes', '--recording-bytes <n>', 'bytes of a recording'],
] as const

export function costCommand(): Command {
  const made = command('cost', 'estimate a month’s cost on AWS from a workload or from counters', [
    'cost --records 1000000 --dimension 384 --writes 300000 --warm-queries 1000000',
    'cost --metrics http://127.0.0.1:8000/metrics',
    'cost --records 5e6 --write-path producer --free-tier --json',
    'cost --objects 10000 --recordings 1000 --recording-minutes 30 --speech transcribe',
  ])
  for (const [field, flags, description] of NUMBERS)
    made.addOption(new Option(flags, description).default(DEFAULT_WORKLOAD[field]).argParser(amount))
  return withOutputOptions(made)
    .addOption(
      new Option('--write-path <path>', 'writes through servers, or as deltas of bare producers')
        .choices(['server', 'producer'])
        .default('server'),
    )
    .addOption(
      new Option(
        '--speech <how>',
        'what is said in recordings: by the workers’ model, by Amazon Transcribe, or not at all',
      )
        .choices(['model', 'transcribe', 'none'])
        .default('model'),
    )
    .addOption(
      new Option(
        '--compute <where>',
        'Lambda, which is priced, or your own machines, which are not; default with --metrics: own',
      )
        .choices(['lambda', 'own'])
        .default('lambda'),
    )
    .option('--no-monitoring', 'without alarms, dashboard, custom metrics and logs')
    .option('--metrics <places...>', 'instead of a workload: /metrics of one store’s servers, as URLs or files')
    .option('--hours <n>', 'with --metrics: hours covered by the counters; default: since the servers started', amount)
    .option('--scale', 'instead of a month: what 10 million, 100 million and a billion records need, by --dimension')
    .option('--free-tier', 'subtract AWS’s monthly free tier')
    .option('--prices <file>', 'JSON file of other prices: {"s3Put": {"usd": 0.0055}}')
    .option(
      '--set <name=number>',
      `change an assumption: ${Object.keys(ASSUMPTIONS).slice(0, 4).join(', ')} …`,
      assumption,
    )
    .addHelpText(
      'after',
      '\nPrices are list prices of us-east-1. docs/explanation/cost.md explains every step and assumption.',
    )
    .action(async (options: CostOptions, made: Command) => {
      const out = new Output(options)
      const prices = options.prices === undefined ? PRICES : await readPrices(options.prices)
      const common = {
        prices,
        freeTier: options.freeTier === true,
        assumptions: (options.set ?? {}) as Partial<Assumptions>,
      }
      if (options.scale === true) {
        const rows = SCALES.map((records) =>
          scaleOf(records, options.dimension, { prices, changes: common.assumptions }),
        )
        await out.answer(rows, () => scaleText(rows, options.dimension))
        return
      }
      if (options.metrics !== undefined) {
        const texts = await Promise.all(options.metrics.map(readMetrics))
        const report = reportOfCounters(texts, {
          ...common,
          nowMs: systemClock.nowMs(),
          writeBatch: made.getOptionValueSource('writeBatch') === 'default' ? 1 : options.writeBatch,
          compute: made.getOptionValueSource('compute') === 'default' ? 'own' : options.compute,
          ...(options.hours !== undefined && { hours: options.hours }),
        })
        const { counted } = report
        const heading = `A month like the ${counted.hours.toFixed(1)} hours that were counted: ${count(counted.queries)} queries, ${count(counted.entries)} log entries, ${bytes(counted.storedBytes)} kept.`
        await out.answer(report, () => text(heading, report))
        return
      }
      const workload = Object.fromEntries(
        Object.keys(DEFAULT_WORKLOAD).map((name) => [name, options[name as keyof Workload]]),
      ) as unknown as Workload
      const report = reportOf(workload, common)
      const { derived, tenThousandUpdates } = report
      const heading =
        `A month with ${count(workload.records)} records of ${bytes(derived.recordBytes)}, ${count(workload.writes)} written, ` +
        `${count(workload.coldQueries)} cold and ${count(workload.warmQueries)} warm queries.\n` +
        `${bytes(derived.storedBytes)} kept; ${count(derived.entries)} log entries, ${count(derived.folds)} folds, ${count(derived.merges)} merges; ` +
        `write amplification ${derived.writeAmplification.toFixed(1)}.`
      const ours = {
        what: '10,000 updates here, one by one; in batches of 500',
        usd: `${dollars(tenThousandUpdates.oneByOne)}; ${dollars(tenThousandUpdates.batchesOf500)}`,
      }
      await out.answer(report, () => text(heading, report, ours))
    })
}

function scaleText(rows: readonly ScaleRow[], dimension: number): string {
  const lines: readonly [string, (row: ScaleRow) => string][] = [
    ['live bytes', (row) => bytes(row.liveBytes)],
    ['segments', (row) => count(row.segments)],
    ['objects of segments', (row) => count(row.objects)],
    ['manifest', (row) => bytes(row.manifestBytes)],
    ['centroids that a reader holds', (row) => bytes(row.centroidBytes)],
    ['cold query: GET', (row) => count(Math.round(row.coldGets))],
    ['cold query: read', (row) => bytes(row.coldBytes)],
    ['cold query: seconds', (row) => row.coldSeconds.toFixed(1)],
    ['1,000 cold queries', (row) => dollars(row.coldUsdPer1000)],
    ['warm query: CPU ms', (row) => (1_000 * row.warmSeconds).toFixed(0)],
    ['1,000 warm queries', (row) => dollars(row.warmUsdPer1000)],
    ['1,000,000 insertions', (row) => dollars(row.writeUsdPerMillion)],
    ['written per byte of them', (row) => row.writeAmplification.toFixed(1)],
    ['compactor seconds for them', (row) => count(Math.round(row.compactorSecondsPerMillion))],
    ['records a second, one machine', (row) => count(Math.round(row.indexedPerSecond))],
    ['days to load, one machine', (row) => row.loadDays.toFixed(1)],
    ['storage a month', (row) => dollars(row.storageUsdAMonth)],
  ]
  const shown = table(
    lines,
    [
      { title: 'records', value: ([what]) => what },
      ...rows.map((row) => ({
        title: count(row.records),
        value: ([, of]: (typeof lines)[number]) => of(row),
        right: true,
      })),
    ],
    '',
  )
  return `Records of ${dimension} dimensions; docs/explanation/scale.md says what of it was measured.\n\n${shown}`
}

function text(
  heading: string,
  report: Omit<CostReport, 'tenThousandUpdates'>,
  ours?: { what: string; usd: string },
): string {
  const { bill, unitCosts, priceDate, region, freeTier, others } = report
  const compared = [
    { what: 'this workload, per month', usd: dollars(bill.totalUsd) },
    ...(ours === undefined ? [] : [ours]),
    ...others,
  ]
  return [
    `${heading}\n`,
    servicesTable(bill),
    unitCostText(unitCosts),
    table(
      compared,
      [
        { title: 'COMPARED', value: ({ what }) => what },
        { title: 'USD', value: ({ usd }) => usd, right: true },
      ],
      '',
    ),
    `List prices of ${region}, ${priceDate}${freeTier ? ', less the free tier' : ', without the free tier'}. docs/explanation/cost.md lists the assumptions.\n`,
  ].join('\n')
}

function servicesTable(bill: Bill): string {
  const rows = [
    ...[...bill.lines].sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : b.usd - a.usd)),
    { service: 'Total', what: '', quantity: Number.NaN, usd: bill.totalUsd },
  ]
  return table(
    rows,
    [
      { title: 'SERVICE', value: ({ service }) => service },
      { title: 'WHAT', value: ({ what }) => what },
      { title: 'QUANTITY', value: ({ quantity }) => (Number.isNaN(quantity) ? '' : amountText(quantity)), right: true },
      { title: 'USD', value: ({ usd }) => dollars(usd), right: true },
    ],
    'Nothing.',
  )
}

function unitCostText(costs: UnitCosts): string {
  const shown = (usd: number | null): string => (usd === null ? '-' : dollars(usd))
  return list([
    ['1,000 queries', shown(costs.usdPer1000Queries)],
    ['1,000 cold queries', shown(costs.usdPer1000ColdQueries)],
    ['1,000 warm queries', shown(costs.usdPer1000WarmQueries)],
    ['1,000,000 writes', shown(costs.usdPerMillionWrites)],
    ...(costs.usdPer1000Objects === null ? [] : [['1,000 objects', shown(costs.usdPer1000Objects)] as const]),
    ['1 GB kept for a month', shown(costs.usdPerGbKept)],
  ])
}

function amountText(quantity: number): string {
  return quantity >= 100 ? count(Math.round(quantity)) : quantity.toPrecision(3)
}

function dollars(usd: number): string {
  if (usd === 0) return '$0'
  return usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2).replace(/e-(\d)$/, 'e-0$1')}`
}

/** A number of 0 or more; `5e6` is allowed. */
function amount(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError('Give a number of 0 or more.')
  return number
}

function assumption(value: string, previous: Record<string, number> = {}): Record<string, number> {
  const [name = '', number = ''] = value.split('=')
  if (!Object.hasOwn(ASSUMPTIONS, name))
    throw new InvalidArgumentError(`Give one of ${Object.keys(ASSUMPTIONS).join(', ')}.`)
  return { ...previous, [name]: amount(number) }
}

async function readPrices(path: string): Promise<PriceList> {
  const bad = (problem: string, cause?: unknown) =>
    invalid('bad-prices', `${path}: ${problem}`, { field: '--prices', cause })
  let changes: Record<string, { usd?: unknown }>
  try {
    changes = JSON.parse(await readFileText(path)) as typeof changes
  } catch (cause) {
    throw bad(`it is not JSON: ${String(cause)}`, cause)
  }
  const prices: Record<PriceItem, PriceList[PriceItem]> = { ...PRICES }
  for (const [item, change] of Object.entries(changes)) {
    if (!Object.hasOwn(PRICES, item)) throw bad(`there is no price ${item}; use ${Object.keys(PRICES).join(', ')}`)
    if (typeof change?.usd !== 'number') throw bad(`${item} has no number "usd"`)
    prices[item as PriceItem] = { ...prices[item as PriceItem], ...change } as PriceList[PriceItem]
  }
  return prices
}

async function readMetrics(place: string): Promise<string> {
  if (!/^https?:\/\//.test(place)) return readFileText(place)
  const answer = await systemHttp(place, { method: 'GET', headers: {} })
  if (answer.status !== 200)
    throw invalid('no-counters', `${place} answers ${answer.status}; give the URL of /metrics`, {
      field: '--metrics',
    })
  return answer.text()
}
