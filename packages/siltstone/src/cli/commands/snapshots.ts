import type { Command } from 'commander'
import type { SnapshotInfo } from '../../model/store.ts'
import { notFound } from '../../errors.ts'
import { objectsOf } from '../../format/manifest.ts'
import { pathOf } from '../../engine/engine.ts'
import { ManifestStore } from '../../snapshot/manifest-store.ts'
import { wholeNumber } from '../arguments.ts'
import { command, group } from '../command.ts'
import { bytes, count, list, plural, table, time } from '../format.ts'
import { printRecords } from '../print-records.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

async function open(session: Session, name: string) {
  const info = await session.collection(name)
  return { info, collection: await session.engine.collection(info.tenant, info.database, info.id) }
}

function listCommand(): Command {
  return withStoreOptions(
    command('list <collection>', 'list the kept versions of a collection, newest first', ['snapshots list notes']),
  ).action((name: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const { info, collection } = await open(session, name)
      const snapshots = await collection.snapshots()
      await session.out.answer(snapshots, () =>
        table(
          snapshots,
          [
            { title: 'NAME', value: (one) => one.name },
            { title: 'CREATED', value: (one) => time(one.createdAtMs) },
            { title: 'VERSION', value: (one) => one.watermark, right: true },
            { title: 'RECORDS', value: (one) => count(one.liveRecords), right: true },
            { title: 'SEGMENTS', value: (one) => one.segments, right: true },
            { title: 'SIZE', value: (one) => bytes(one.sizeBytes), right: true },
            { title: 'KEPT AS', value: (one) => one.keptBecause.join(', ') },
          ],
          `${info.name} has no snapshot yet; "siltstone compact ${info.name}" makes one.`,
        ),
      )
    }),
  )
}

/** @throws SiltstoneError `not-found` (snapshot-missing) */
function find(snapshots: readonly SnapshotInfo[], name: string): SnapshotInfo {
  const found = name === 'current' ? snapshots.find((one) => one.current) : snapshots.find((one) => one.name === name)
  if (found) return found
  throw notFound('snapshot-missing', `there is no snapshot ${name}; "siltstone snapshots list" lists the kept ones`)
}

function showCommand(): Command {
  return withStoreOptions(
    command('show <collection> [snapshot]', 'show the contents of a snapshot', [
      'snapshots show notes',
      'snapshots show notes 12-01J9Z3V5Q8F2M4N6P7R9S0T1V2',
    ]),
  ).action((name: string, snapshotName: string | undefined, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const { info, collection } = await open(session, name)
      const snapshot = find(await collection.snapshots(), snapshotName ?? 'current')
      const manifest = await new ManifestStore(session.env, pathOf(info)).loadExisting(snapshot.key)
      const objects = objectsOf(manifest)
      await session.out.answer({ ...snapshot, manifest }, () => {
        const segments = table(
          manifest.segments,
          [
            { title: 'SEGMENT', value: ({ segment }) => segment.id },
            { title: 'ROWS', value: ({ segment }) => count(segment.rows), right: true },
            { title: 'DELETED', value: ({ deletions }) => count(deletions?.count ?? 0), right: true },
            { title: 'OVERLAYS', value: ({ overlays }) => overlays.length, right: true },
            { title: 'SIZE', value: ({ segment }) => bytes(segment.sizeBytes), right: true },
            { title: 'SECTIONS', value: ({ segment }) => segment.sections.map((one) => one.name).join(' ') },
          ],
          'No segments.',
        )
        return `${list([
          ['name', snapshot.name],
          ['created', `${time(manifest.createdAtMs)} by ${manifest.writer} (${manifest.kind})`],
          ['version', manifest.watermark],
          ['records', count(manifest.liveRecords)],
          ['dimension', manifest.dimension],
          ['objects', `${plural(objects.length, 'object')}, ${bytes(snapshot.sizeBytes)}`],
          ['refused', plural(manifest.refused.length, 'delta or record', 'deltas or records')],
          ['kept as', snapshot.keptBecause.join(', ')],
        ])}\n${segments}${manifest.refused.map(({ key, reason }) => `refused ${key}: ${reason}\n`).join('')}`
      })
    }),
  )
}

function rollbackCommand(): Command {
  return withStoreOptions(
    command('rollback <collection> <snapshot>', 'restore the records of a kept snapshot as a new version', [
      'snapshots rollback notes 12-01J9Z3V5Q8F2M4N6P7R9S0T1V2',
    ]),
  ).action((name: string, snapshotName: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const { info, collection } = await open(session, name)
      const { version } = await collection.rollback(snapshotName)
      await session.out.answer(
        { collection: info.name, snapshot: snapshotName, version },
        () => `${info.name} has the records of ${snapshotName} again (version ${version}).\n`,
      )
    }),
  )
}

function readCommand(): Command {
  return withStoreOptions(
    command('read <collection> <snapshot>', 'read the records of a kept snapshot', [
      'snapshots read notes 12-01J9Z3V5Q8F2M4N6P7R9S0T1V2 --limit 5',
    ]),
  )
    .option('-n, --limit <n>', 'at most this many', wholeNumber(0), 20)
    .option('--offset <n>', 'skip this many', wholeNumber(0), 0)
    .action((name: string, snapshotName: string, options: CommonOptions & { limit: number; offset: number }) =>
      Session.use(options, { create: false }, async (session) => {
        const { collection } = await open(session, name)
        const snapshot = find(await collection.snapshots(), snapshotName)
        const answer = await collection.get({
          at: snapshot.watermark,
          limit: options.limit,
          offset: options.offset,
          include: { documents: true, metadatas: true },
        })
        await printRecords(session.out, answer)
      }),
    )
}

const DAY_MS = 86_400_000

function keepCommand(): Command {
  return withStoreOptions(
    command('keep <collection> <name>', 'keep a snapshot by name, beyond the history: the state of now, or another', [
      'snapshots keep notes before-import',
      'snapshots keep notes audit-2026 --snapshot 12-01J9Z3V5Q8F2M4N6P7R9S0T1V2 --days 365',
    ]),
  )
    .option('--snapshot <snapshot>', 'a kept snapshot instead of the state of now')
    .option('--days <n>', 'for this long; default: until it is released', wholeNumber(1))
    .action((name: string, point: string, options: CommonOptions & { snapshot?: string; days?: number }) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const kept = await session.engine.maintenance.keep(info, {
          name: point,
          ...(options.snapshot !== undefined && { snapshot: options.snapshot }),
          ...(options.days !== undefined && { untilMs: session.env.clock.nowMs() + options.days * DAY_MS }),
        })
        await session.out.answer(
          kept,
          () =>
            `${kept.snapshot} of ${info.name} (version ${kept.version}) is kept as ${kept.name} ` +
            `${kept.untilMs === null ? 'until it is released' : `until ${time(kept.untilMs)}`}.\n`,
        )
      }),
    )
}

function releaseCommand(): Command {
  return withStoreOptions(
    command('release <collection> <name>', 'end the keeping of a snapshot by name', [
      'snapshots release notes before-import',
    ]),
  ).action((name: string, point: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const info = await session.collection(name)
      await session.engine.maintenance.release(info, point)
      await session.out.answer({ collection: info.name, released: point }, () => `${point} is not kept any more.\n`)
    }),
  )
}

function keptCommand(): Command {
  return withStoreOptions(
    command('kept <collection>', 'list the snapshots that are kept by name', ['snapshots kept notes']),
  ).action((name: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const points = await session.engine.maintenance.restorePoints(await session.collection(name))
      await session.out.answer(points, () =>
        table(
          points,
          [
            { title: 'NAME', value: (point) => point.name },
            { title: 'SNAPSHOT', value: (point) => point.snapshot },
            { title: 'VERSION', value: (point) => point.version, right: true },
            { title: 'SINCE', value: (point) => time(point.pinnedAtMs) },
            { title: 'UNTIL', value: ({ untilMs }) => (untilMs === null ? 'released' : time(untilMs)) },
          ],
          'No snapshot is kept by name.',
        ),
      )
    }),
  )
}

export function snapshotsCommand(): Command {
  return group('snapshots', 'list, show, read, keep and restore kept versions', [
    listCommand(),
    showCommand(),
    readCommand(),
    rollbackCommand(),
    keepCommand(),
    keptCommand(),
    releaseCommand(),
  ])
}
