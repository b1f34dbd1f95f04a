/** `siltstone registry verify`, `reindex`, `reconcile`, `expire` and `gc`. The command line gives its tools, so that this package does not depend on its parser. */
import { openStore } from 'siltstone'
import { closeEnvironment, invalid, openEnvironmentAt, type RegistryTools } from 'siltstone/internal'
import { Registry } from './registry.ts'
import { registrySettings } from './registry-settings.ts'
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
  const reconcile = withOutputOptions(
    command('reconcile', 'compare sources with what was learned of them, and the index with the artifacts', [
      'registry reconcile --data ./data',
      'registry reconcile --data s3://my-bucket/store --apply',
    ]),
  )
    .addOption(dataOption())
    .option('--apply', 'rate again what has changed, follow what has moved, and refresh the index')
    .action(async ({ apply = false, ...options }: CommonOptions & { apply?: boolean }) => {
      const report = await inRegistry(options.data, (registry) => registry.reconciler.reconcile({ apply }))
      const open = report.findings.filter(({ isRepaired }) => !isRepaired).length
      await output(options).answer(report, () => {
        const { artifacts, asked, findings } = report
        const lines = findings.map(
          ({ artifact, name, kind, text, isRepaired }) =>
            `${artifact} ${name ?? '-'}: ${kind}: ${text}${isRepaired ? ' (repaired)' : ''}\n`,
        )
        return `${lines.join('')}${artifacts} artifacts, ${asked} sources asked, ${findings.length} findings, ${findings.length - open} repaired\n`
      })
      if (open > 0) process.exitCode = FINDINGS
    })
  const expire = withOutputOptions(
    command('expire', 'forget old versions of files that no branch and no tag names; gc then deletes their contents', [
      'registry expire --data ./data --older-than-days 90 --dry-run',
    ]),
  )
    .addOption(dataOption())
    .requiredOption('--older-than-days <n>', 'keep what is younger', wholeNumber)
    .option('--dry-run', 'only say how many there are')
    .action(async ({ olderThanDays, dryRun = false, ...options }: CommonOptions & ExpireOptions) => {
      const olderThanMs = olderThanDays * 24 * HOUR_MS
      const done = await inRegistry(options.data, (registry) => registry.expiry.expire({ olderThanMs, dryRun }))
      await output(options).answer(done, () => `${dryRun ? 'to forget' : 'forgotten'}: ${done.versions} versions\n`)
    })
  const gc = withOutputOptions(
    command('gc', 'delete the contents of files that no version names any more', [
      'registry gc --data ./data --dry-run',
      'registry gc --data s3://my-bucket/store --grace-hours 24 --xorb-days 60',
    ]),
  )
    .addOption(dataOption())
    .option('--grace-hours <n>', 'keep what is younger', wholeNumber, 168)
    .option('--xorb-days <n>', 'delete chunks of Xet that no file needs when they are older', wholeNumber, 30)
    .option('--dry-run', 'only say how much there is')
    .action(async ({ graceHours, xorbDays, dryRun, ...options }: CommonOptions & GcOptions) => {
      const done = await inRegistry(options.data, (registry) =>
        registry.collector.collect({
          graceMs: graceHours * HOUR_MS,
          xorbAgeMs: xorbDays * 24 * HOUR_MS,
          ...(dryRun === true && { dryRun }),
        }),
      )
      await output(options).answer(done, () => {
        const { blobs, bytes, uploads, uploadBytes, xorbs, xorbBytes } = done
        const word = dryRun === true ? 'to delete' : 'deleted'
        const unfinished = `${uploads} unfinished uploads with ${uploadBytes} bytes`
        return `${word}: ${blobs} files with ${bytes} bytes, ${unfinished}, ${xorbs} xorbs with ${xorbBytes} bytes\n`
      })
    })
  return [verify, reindex, reconcile, expire, gc]
}

interface ExpireOptions {
  olderThanDays: number
  dryRun?: boolean
}

interface GcOptions {
  graceHours: number
  xorbDays: number
  dryRun?: boolean
}

const HOUR_MS = 3_600_000

/** @throws SiltstoneError `invalid` (bad-number) */
function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw invalid('bad-number', `"${text.slice(0, 50)}" is no whole number from 0 on`, { field: 'hours or days' })
}

/** As `siltstone verify` ends when it finds damage. */
const FINDINGS = 4

async function inRegistry<T>(data: string, work: (registry: Registry) => Promise<T>): Promise<T> {
  const environment = await openEnvironmentAt(data)
  try {
    const index = await openStore({ environment })
    try {
      const { store, clock, ids, log, random } = environment
      const sources = new Sources({ clock, random, ...registrySettings(process.env).sources })
      return await work(new Registry({ store, index, clock, ids, log, sources }))
    } finally {
      await index.close()
    }
  } finally {
    await closeEnvironment(environment)
  }
}
