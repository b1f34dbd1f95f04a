/** Deploys, produces, compacts and queries on an emulated account: `npm run demo:aws`; `-- --once` ends after one round. */
import { once } from 'node:events'
import { deployed } from './account.ts'
import { SERVER } from './server.ts'
import { DeployedStack, until } from './stack.ts'

const PASSAGES = [
  'Silt settles where a river slows down and can no longer carry what it brought.',
  'Sandstone is sand that the weight of later layers pressed together.',
  'A delta grows where a stream meets the sea and drops its load.',
  'Glaciers grind rock to flour and leave it in their valleys.',
  'Limestone is made of shells and skeletons of the sea.',
  'Granite cooled slowly, deep below, so its crystals had time to grow.',
  'Basalt flowed out, met air or water, and froze with hardly a crystal.',
  'Rain that fell on chalk comes back from springs, clear and hard.',
  'Bread rises because yeast breathes out into the dough.',
  'A loaf is done when its bottom sounds hollow.',
  'The last train left before the concert was over.',
  'The choir did not know that the hall was locked.',
] as const
const QUESTION = 'why does mud drop out of flowing water?'

const say = (line: string) => process.stdout.write(`${line}\n`)
const startedMs = performance.now()
const step = (line: string) => say(`\n[${((performance.now() - startedMs) / 1_000).toFixed(1)} s] ${line}`)

step(
  `${SERVER.name}: an emulated account on this machine, HTTPS only, IAM enforced; deploying infra/bootstrap and infra/`,
)
const account = await deployed('dev')
try {
  const stack = new DeployedStack(account)
  const made = [account.admin, account.stack].flatMap(({ resources }) => resources.filter(({ custom }) => custom))
  step(`${made.length} resources, as the Pulumi programs declare them`)
  for (const name of ['bucket_name', 'queue_url', 'lock_table_name', 'compactor_function_name', 'query_url']) {
    say(`  ${name.padEnd(24)} ${stack.output(name)}`)
  }

  const collection = await stack.newCollection('passages')
  step(`the api function made the collection "passages", ${collection}`)
  const records = PASSAGES.map((document, at) => ({ id: String(at + 1), document }))
  const { delta_key: delta } = await stack.produce(collection, records)
  step(`the producer embedded ${records.length} texts and dropped ${delta}`)
  say(`  readable at once: ${(await stack.idsIn(collection)).length} records`)

  await until('a snapshot', async () => (await stack.published(collection)).length > 0)
  step('the bucket told the queue, the queue woke the compactor, the compactor published')
  for (const key of await stack.keys(`snapshot/${delta.split('/')[1] ?? ''}/`)) say(`  ${key}`)

  interface Found {
    ids: string[][]
    documents: string[][]
    distances: number[][]
  }
  const found = await stack.ok<Found>('query', 'POST', `/${collection}/query`, {
    query_texts: [QUESTION],
    n_results: 3,
    include: ['documents', 'distances'],
  })
  step(`the query function answers: ${QUESTION}`)
  found.documents[0]?.forEach((document, at) => say(`  ${found.distances[0]?.[at]?.toFixed(3)}  ${document}`))

  const { status } = await stack.http('query', 'POST', `/${collection}/delete`, { ids: ['1'] })
  step(`a write through the query function is answered ${status}; its role could not do it either`)

  if (!process.argv.includes('--once')) {
    step('everything stays until Ctrl-C. From another terminal:')
    const variables = {
      AWS_ENDPOINT_URL: account.server.endpoint,
      NODE_EXTRA_CA_CERTS: account.server.certificateFile,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SILTSTONE_DATA: `s3://${stack.output('bucket_name')}`,
      SILTSTONE_QUEUE_URL: stack.output('queue_url'),
      SILTSTONE_LOCK_TABLE: stack.output('lock_table_name'),
    }
    for (const [name, value] of Object.entries(variables)) say(`  export ${name}=${value}`)
    say('  npm run siltstone -- doctor')
    await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  }
} finally {
  await account.stop()
}
