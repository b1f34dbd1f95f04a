import type { Command } from 'commander'
import { type CatalogReport, verifyCatalog } from '../../check/verify-catalog.ts'
import { type Problem, type VerifyReport, verifyCollection } from '../../check/verify-collection.ts'
import { Findings } from '../../check/verify-report.ts'
import { isSiltstoneError, type SiltstoneError } from '../../errors.ts'
import { hasBlobs } from '../../drivers/directory/blobs/index-copy.ts'
import { verifyBlobs } from '../../drivers/directory/blobs/verify-blobs.ts'
import { isUrl } from '../../drivers/open-environment.ts'
import { setExitCode } from '../../host/process.ts'
import { command } from '../command.ts'
import { bytes, count, plural } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

export function verifyCommand(): Command {
  const made = command(
    'verify [collections...]',
    'check every object, checksum, reference and count, without changes',
    ['verify', 'verify notes --quick'],
  )
  return withStoreOptions(made)
    .option('--quick', 'check existence, sizes, manifests and the log, but not every byte')
    .addHelpText('after', '\nExits with 6 when an object is damaged.')
    .action((names: string[], options: CommonOptions & { quick?: boolean }) =>
      Session.use(options, { create: false, damaged: true }, async (session) => {
        const reports: (VerifyReport & { name: string })[] = []
        await session.out.progress('verifying the catalog …')
        const catalog = await verifyCatalog(session.env)
        for (const { name, path } of session.examinedTargets(names, catalog)) {
          await session.out.progress(`verifying ${name} …`)
          reports.push({ name, ...(await verifyCollection(session.env, path, { deep: !options.quick })) })
        }
        if (names.length === 0 ? catalog.objects > 0 : catalog.problems.length > 0)
          reports.push(catalogReport(catalog, options))
        const { report: blobs, failure } = await unlessUnavailable(() =>
          names.length === 0 ? verifiedBlobs(session, options) : Promise.resolve(undefined),
        )
        if (blobs !== undefined) reports.push(blobs)
        await session.out.endProgress()
        await session.out.answer(reports, () =>
          reports.length === 0 ? 'No collections.\n' : reports.map(reportText).join('\n'),
        )
        if (reports.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))) setExitCode(6)
        else if (failure !== undefined) throw failure
      }),
    )
}

/** Where the objects cannot be read now, what was found of the rest is shown before the failure is. */
export async function unlessUnavailable<T>(work: () => Promise<T>): Promise<{ report?: T; failure?: SiltstoneError }> {
  try {
    return { report: await work() }
  } catch (error) {
    if (!isSiltstoneError(error, 'unavailable')) throw error
    return { failure: error }
  }
}

/** The objects of the S3 face; undefined if there are none. */
async function verifiedBlobs(session: Session, options: CommonOptions & { quick?: boolean }) {
  if (isUrl(options.data) || !(await hasBlobs(options.data))) return undefined
  const report = await verifyBlobs(options.data, {
    deep: options.quick !== true,
    onObject: (done) => session.out.progress(`verifying objects: ${done} …`),
  })
  return otherReport('objects', report, options)
}

const catalogReport = (report: CatalogReport, options: { quick?: boolean }) => otherReport('catalog', report, options)

/** In the shape of a collection's report. */
function otherReport(
  name: 'catalog' | 'objects',
  { problems, objects, bytes }: Pick<CatalogReport, 'problems' | 'objects' | 'bytes'>,
  { quick }: { quick?: boolean },
) {
  const { figures } = new Findings()
  return {
    name,
    collection: name,
    state: 'live' as const,
    deep: quick !== true,
    manifestKey: null,
    watermark: 0,
    version: 0,
    liveRecords: null,
    problems,
    figures: { ...figures, objects, bytes },
  }
}

function reportText({
  name,
  collection,
  state,
  problems,
  figures,
  liveRecords,
  version,
}: VerifyReport & { name: string }): string {
  const verdict =
    problems.length === 0
      ? 'whole'
      : problems.some(({ severity }) => severity === 'error')
        ? 'DAMAGED'
        : 'whole, with warnings'
  if (collection === 'catalog' || collection === 'objects')
    return [
      `${name}: ${verdict}, ${plural(figures.objects, 'object')} with ${bytes(figures.bytes)}`,
      ...problemLines(problems),
      '',
    ].join('\n')
  const records = liveRecords === null ? 'unknown number of records' : plural(liveRecords, 'record')
  const lines = [
    `${name}: ${verdict}${state === 'closed' ? ' (deleted)' : ''}, ${records} at version ${version}`,
    `  ${plural(figures.objects, 'object')} with ${bytes(figures.bytes)}: ${plural(figures.manifests, 'manifest')}, ` +
      `${plural(figures.segments, 'segment')}, ${plural(figures.entries, 'fresh entry', 'fresh entries')}, ` +
      `${plural(figures.inboxDeltas, 'delta')} in the inbox`,
  ]
  if (figures.refusedDeltas > 0) lines.push(`  ${plural(figures.refusedDeltas, 'delta')} refused`)
  if (figures.unreferencedObjects > 0)
    lines.push(
      `  ${count(figures.unreferencedObjects)} unreferenced with ${bytes(figures.unreferencedBytes)} (garbage)`,
    )
  return `${[...lines, ...problemLines(problems)].join('\n')}\n`
}

function problemLines(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ key, problem, remedy, severity }) => [
    `  ${severity}: ${problem.includes(key) ? '' : `${key}: `}${problem}`,
    `    ${remedy}`,
  ])
}
