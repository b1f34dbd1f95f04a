import { type Command, Option } from 'commander'
import { invalid } from '../../errors.ts'
import { loadAws } from '../../drivers/load-aws.ts'
import { environmentVariables, onStopSignal } from '../../host/process.ts'
import { jsonLogger } from '../../server/logging.ts'
import { startProxy } from '../../server/proxy.ts'
import { port } from '../arguments.ts'
import { command } from '../command.ts'
import { Output } from '../output.ts'
import { withOutputOptions } from '../session.ts'

interface ProxyCommandOptions {
  host: string
  port: number
  region?: string
  service: string
  json?: boolean
}

export function proxyCommand(): Command {
  const made = command('proxy <url>', 'sign requests of Chroma clients for a Lambda function URL', [
    'proxy https://abc123.lambda-url.eu-central-1.on.aws --port 8000',
  ])
  return withOutputOptions(made)
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--port <port>', '0 chooses a free port').default(8000).argParser(port))
    .option('--region <region>', 'default: the region in the URL, or AWS_REGION')
    .option('--service <name>', 'service name in the signatures', 'lambda')
    .action(proxy)
}

async function proxy(url: string, options: ProxyCommandOptions): Promise<void> {
  const target = targetOf(url)
  const region = options.region ?? regionOf(target)
  const { requestSigner } = await loadAws()
  const running = await startProxy({
    target,
    sign: requestSigner(options.service, region),
    host: options.host,
    port: options.port,
    log: jsonLogger({ level: 'warn' }),
  })
  const stopped = new Promise<void>((resolve, reject) => {
    onStopSignal(() => void running.close().then(resolve, reject))
  })
  await new Output(options).answer(
    { url: running.url, target: target.href, region },
    () => `${running.url} signs requests and forwards them to ${target.href} (stop with Ctrl-C)\n`,
  )
  await stopped
}

function targetOf(text: string): URL {
  const url = URL.parse(text)
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw invalid('bad-url', `${JSON.stringify(text)} is not a URL; give the function's URL, https://….on.aws`, {
    field: 'url',
  })
}

function regionOf({ hostname }: URL): string {
  const variables = environmentVariables()
  const region =
    /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(hostname)?.[1] ??
    variables['AWS_REGION'] ??
    variables['AWS_DEFAULT_REGION']
  if (region !== undefined && region !== '') return region
  throw invalid('no-region', `the region of ${hostname} is unknown; give --region, or set AWS_REGION`, {
    field: 'region',
  })
}
