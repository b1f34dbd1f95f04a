/** The commands of `siltstone objects` that are about processing. */
import { invalid, type ObjectStatus, type ObjectsTools, onStopSignal, readFileText } from 'siltstone/internal'
import { type Address, needAddress } from './address.ts'
import type { Objects } from './objects.ts'
import { openBuckets } from './open-objects.ts'
import { ProcessingRules } from './process/rules.ts'
import { openWork } from './work.ts'

type Command = ReturnType<ObjectsTools['command']>

interface Options {
  data: string
  json?: boolean
  debug?: boolean
}

export interface ProcessTools {
  make: (usage: string, description: string, examples: readonly string[]) => Command
  tools: ObjectsTools
  /** Opens the objects of a bucket for the time of some work. */
  using: <T>(options: Options, address: Address, work: (objects: Objects) => Promise<T>) => Promise<T>
}

const DEFAULT_WAIT_S = 60

export function processCommands({ make, tools, using }: ProcessTools): Command[] {
  /** In the bucket of the place, or in all buckets of a directory. */
  const inEach = async (
    options: Options,
    place: string | undefined,
    work: (objects: Objects, key: string) => Promise<ObjectStatus[]>,
  ): Promise<ObjectStatus[]> => {
    if (place !== undefined) {
      const address = needAddress(place)
      return using(options, address, (objects) => work(objects, address.key))
    }
    const all: ObjectStatus[] = []
    for (const bucket of await bucketsOf(options.data)) {
      const found = await using(options, { place: 'siltstone', bucket, key: '' }, (objects) => work(objects, ''))
      for (const one of found) all.push(one)
    }
    return all
  }
  return [
    make('status [place]', 'show how far an object, all below a prefix, or all of a store, became searchable', [
      'objects status --data ./data',
      'objects status siltstone://media/uploads/talk.mp4 --data ./data',
      'objects status siltstone://media/ --data ./data',
    ]).action(async (place: string | undefined, options: Options) => {
      const found = await inEach(options, place, (objects, key) => statuses(objects, key))
      await tools.output(options).answer(found, () => tableOf(found, place))
    }),
    make('wait [place]', 'wait until an object, all below a prefix, or all of a store, are searchable or given up', [
      'objects wait siltstone://media/uploads/talk.mp4 --data ./data',
    ])
      .addOption(
        new tools.Option('--timeout <seconds>', 'then it fails')
          .default(DEFAULT_WAIT_S)
          .argParser(tools.wholeNumber(0)),
      )
      .action(async (place: string | undefined, options: Options & { timeout: number }) => {
        const ended = await inEach(options, place, async (objects, below) => {
          const all = await statuses(objects, below)
          const timeoutMs = options.timeout * 1_000
          return Promise.all(all.map(({ key }) => objects.wait(key, { timeoutMs })))
        })
        await tools.output(options).answer(ended, () => tableOf(ended, place))
      }),
    make('replay <place>', 'process an object again, or with --recursive all below a prefix', [
      'objects replay siltstone://media/uploads/talk.mp4 --data ./data',
      'objects replay siltstone://media/ --recursive --dead --data ./data',
    ])
      .option('-r, --recursive', 'every object below the prefix')
      .option('--dead', 'only those that were given up')
      .action(async (place: string, options: Options & { recursive?: boolean; dead?: boolean }) => {
        const address = needAddress(place)
        const { recursive = false, dead = false } = options
        const replayed = await using(options, address, (objects) =>
          objects.replay({ dead, ...(recursive ? { prefix: address.key } : { key: address.key }) }),
        )
        await tools.output(options).answer({ replayed }, () => `${replayed} to be processed again\n`)
      }),
    make('dead [place]', 'list objects below a prefix, or of a store, that were given up, each with the reason', [
      'objects dead siltstone://media/ --data ./data',
    ]).action(async (place: string | undefined, options: Options) => {
      const found = await inEach(options, place, async (objects, below) => {
        const all: ObjectStatus[] = []
        for await (const one of objects.dead(below)) all.push(one)
        return all
      })
      await tools.output(options).answer(found, () => tableOf(found, place))
    }),
    make('work <place>', 'run a worker for a bucket, whose records go to the store --data', [
      'objects work siltstone://media/ --once --data ./data',
      'objects work s3://my-bucket/ --data s3://my-store/records',
      'objects work s3://my-bucket/ --data s3://my-store/records --queue https://sqs.eu-west-1.amazonaws.com/111122223333/uploads',
    ])
      .option('--once', 'end when nothing is left to do')
      .option('--queue <url>', 'SQS queue that the notifications of the bucket go to; without it, sweeps find changes')
      .option('--rules <file>', 'JSON: which objects are processed, and into which collections')
      .addOption(
        new tools.Option('--concurrency <n>', 'processors that work at the same time')
          .default(2)
          .argParser(tools.wholeNumber(1)),
      )
      .action(
        async (
          place: string,
          options: Options & { once?: boolean; queue?: string; rules?: string; concurrency: number },
        ) => {
          const { data, queue, rules, concurrency } = options
          const out = tools.output(options)
          const work = await openWork({
            data,
            address: needAddress(place),
            rules: rules === undefined ? new ProcessingRules() : ProcessingRules.parse(await readFileText(rules)),
            concurrency,
            ...(queue !== undefined && { queue }),
            log: out.logger,
          })
          try {
            if (options.once === true) {
              const done = await work.once()
              await out.answer(done, () => `${done.settled} settled, ${done.waiting} to be tried again\n`)
              return
            }
            work.start()
            await out.note('The worker runs (stop with Ctrl-C)')
            await new Promise<void>((resolve) => void onStopSignal(() => resolve()))
          } finally {
            await work.close()
          }
        },
      ),
  ]
}

/** @throws SiltstoneError `invalid` (no-object), and as `openBuckets` */
async function bucketsOf(data: string): Promise<string[]> {
  if (data.startsWith('s3://'))
    throw invalid('no-object', 'The objects of a store in a bucket are in others: name one, s3://my-uploads/.', {
      field: 'place',
    })
  const buckets = await openBuckets(data)
  try {
    return (await buckets.listBuckets()).map(({ name }) => name)
  } finally {
    await buckets.close()
  }
}

/** Of the one object with this key; else of all below it as a prefix. */
async function statuses(objects: Objects, key: string): Promise<ObjectStatus[]> {
  if (key !== '' && !key.endsWith('/')) {
    const one = await objects.status(key)
    if (one.version !== null || one.changedAt !== undefined) return [one]
  }
  const all: ObjectStatus[] = []
  for await (const one of objects.statuses(key)) all.push(one)
  return all
}

/** @param place undefined: objects of several buckets, which are named */
function tableOf(all: readonly ObjectStatus[], place: string | undefined): string {
  const nameOf = ({ bucket, key }: ObjectStatus) => (place === undefined ? `${bucket}/${key}` : key)
  const counts = new Map<string, number>()
  for (const { progress } of all) counts.set(progress, (counts.get(progress) ?? 0) + 1)
  const summary = [...counts].map(([progress, count]) => `${count} ${progress}`).join(', ')
  const lines = all.map(
    (one) => `${one.progress.padEnd(11)} ${String(one.records).padStart(6)} records  ${nameOf(one)}${whyOf(one)}\n`,
  )
  return `${lines.join('')}${all.length === 0 ? 'no objects' : summary}\n`
}

function whyOf({ progress, step, error, retryAt, steps }: ObjectStatus): string {
  if (error !== undefined)
    return `\n            ${error.code}: ${error.message}${retryAt === undefined ? '' : ` (again at ${retryAt})`}`
  if (progress === 'running' && step !== undefined) {
    const ready = Object.keys(steps).filter((name) => steps[name]?.state === 'done')
    return `  (${step})${ready.length === 0 ? '' : `; searchable: ${ready.join(', ')}`}`
  }
  const skipped = Object.entries(steps).filter(([, { state }]) => state === 'skipped')
  return skipped.map(([name, { reason = '' }]) => `\n            without ${name}: ${reason}`).join('')
}
