/** `siltstone registry verify` and `reindex`. The command line gives its tools, so that this package does not depend on its parser. */
import { openStore } from 'siltstone'
import { closeEnvironment, openEnvironmentAt, type RegistryTools } from 'siltstone/internal'
import { Registry } from './registry.ts'
import { Sources } from './sources/sources.ts'

interface CommonOptions {
  data: string
  json?: boolean
  debug?: boolean
}

export function registryCommands(tools: RegistryTools) {
  const { command, dataOption, withOutputOptions, output } = tools
  const verify = withOutputOptions(
    command('verify', 'read all artifacts, versions and claims, and name what does not fit', [
      'registry verify --data ./data',
    ]),
  )
    .addOption(dataOption())
    .action(async (options: CommonOptions) => {
      const report = await inRegistry(options.data, (registry) => registry.verify())
      await output(options).answer(report, () => {
        const findings = report.findings.map(({ key, text }) => `${key}: ${text}\n`).join('')
        return `${findings}${report.artifacts} artifacts, ${report.fileBytes} bytes of files, ${report.findings.length} findings\n`
      })
      if (report.findings.length > 0) process.exitCode = FINDINGS
    })
  const reindex = withOutputOptions(
    command('reindex', 'finish what processes left, and bring lists and search to what the bucket says', [
      'registry reindex --data s3://my-bucket/store',
    ]),
  )
    .addOption(dataOption())
    .action(async (options: CommonOptions) => {
      const done = await inRegistry(options.data, async (registry) => {
        const finished = await registry.artifacts.finishIntents()
        return { finished, ...(await registry.index.reindex()) }
      })
      await output(options).answer(done, () => {
        const { finished, refreshed, artifacts } = done
        return `${refreshed} compared, ${artifacts} artifacts in the index, ${finished} changes of other processes finished\n`
      })
    })
  return [verify, reindex]
}

/** As `siltstone verify` ends when it finds damage. */
const FINDINGS = 4

async function inRegistry<T>(data: string, work: (registry: Registry) => Promise<T>): Promise<T> {
  const environment = await openEnvironmentAt(data)
  try {
    const index = await openStore({ environment })
    try {
      const { store, clock, ids, log, random } = environment
      return await work(new Registry({ store, index, clock, ids, log, sources: new Sources({ clock, random }) }))
    } finally {
      await index.close()
    }
  } finally {
    await closeEnvironment(environment)
  }
}
