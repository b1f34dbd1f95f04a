/** Verifies the log: entries above the watermark, the deltas that they sequence, and the inbox. */
import { isSiltstoneError } from '../errors.ts'
import { decodeEntry, type LogEntry } from '../format/entry.ts'
import { inboxKey, logEntryKey, logPrefix, parseKey } from '../format/keys.ts'
import type { Manifest } from '../format/manifest.ts'
import { type DeltaContent, DeltaCache } from '../log/delta-cache.ts'
import { listInbox, pages } from '../log/listing.ts'
import { contentOf, objectOf } from '../log/mention.ts'
import type { Environment } from '../ports/environment.ts'
import type { Findings } from './verify-report.ts'

export const RESTORE =
  'Restore the object from a backup or an older version of it; without it the records written by it are lost. ' +
  '"siltstone snapshots rollback" goes back to a kept snapshot.'
const VOID = 'Run "siltstone repair": it voids the delta, so that the collection can be read and written again.'

/** A first mention whose delta is not what was sequenced, and that no later entry voids. */
export interface VanishedDelta {
  key: string
  /** The key of the object that is missing: of the delta itself, or of its copy. */
  object: string
  entry: number
  how: 'gone' | 'changed'
}

export interface LogFindings {
  /** Entries above the watermark that could be read, ascending. */
  entries: LogEntry[]
  /** Number of the last entry; the watermark when there is none above it. */
  end: number
  missing: { first: number; last: number }[]
  damaged: number[]
  vanished: VanishedDelta[]
}

export async function verifyLog(
  env: Pick<Environment, 'store'>,
  manifest: Manifest,
  options: { deltaBytes: number; deep: boolean },
  findings: Findings,
): Promise<LogFindings> {
  const path = manifest.collection
  const found = await readEntries(env, manifest, options.deep, findings)
  const mentioned = new Set(manifest.sequenced.flatMap(({ ulids }) => ulids))
  const deltas = new DeltaCache(env.store, path, options.deltaBytes)
  for (const entry of found.entries) {
    await checkControl(env, entry, findings)
    for (const mention of entry.sequenced) {
      const parsed = parseKey(mention.key)
      if (parsed?.kind !== 'inbox' || parsed.path !== path) {
        findings.report(
          logEntryKey(path, entry.number),
          `it sequences ${mention.key}, which is not in its inbox`,
          RESTORE,
        )
        continue
      }
      if (mentioned.has(parsed.ulid)) continue
      mentioned.add(parsed.ulid)
      const key = objectOf(mention)
      const delta = await statusOf(() => contentOf(mention, parsed.ulid, deltas), key ?? mention.key, findings)
      if (key !== undefined && (delta === 'ok' || delta === 'refused')) findings.object(key, mention.sizeBytes)
      if (delta === 'refused') findings.figures.refusedDeltas++
      if ((delta === 'gone' || delta === 'changed') && !isVoided(found.entries, mention.key, entry.number))
        found.vanished.push({ key: mention.key, object: key ?? mention.key, entry: entry.number, how: delta })
    }
  }
  for (const { object, entry, how } of found.vanished)
    findings.report(
      object,
      `entry ${entry} sequences it, but it ${how === 'gone' ? 'is gone' : 'was changed since'}`,
      VOID,
    )
  for (const object of await listInbox(env.store, path)) {
    if (mentioned.has(object.ulid)) continue
    const key = inboxKey(path, object.ulid)
    findings.figures.inboxDeltas++
    findings.object(key, object.sizeBytes)
    const { ulid, etag, sizeBytes } = object
    if ((await statusOf(() => deltas.get(ulid, etag, sizeBytes), key, findings)) === 'refused')
      findings.figures.refusedDeltas++
  }
  return found
}

function isVoided(entries: readonly LogEntry[], key: string, number: number): boolean {
  return entries.some(
    (later) => later.number > number && later.control?.kind === 'void' && later.control.keys.includes(key),
  )
}

async function readEntries(
  env: Pick<Environment, 'store'>,
  manifest: Manifest,
  deep: boolean,
  findings: Findings,
): Promise<LogFindings> {
  const { collection: path, watermark } = manifest
  const found: LogFindings = { entries: [], end: watermark, missing: [], damaged: [], vanished: [] }
  const listed = new Map<number, number>()
  for await (const page of pages(env.store, logPrefix(path), { delimiter: '/' }))
    for (const { key, sizeBytes } of page) {
      const parsed = parseKey(key)
      if (parsed?.kind === 'log-entry') listed.set(parsed.number, sizeBytes)
    }
  let expected = watermark + 1
  for (const number of [...listed.keys()].sort((a, b) => a - b)) {
    if (number <= watermark) continue
    if (number > expected) reportGap(path, expected, number - 1, found, findings)
    expected = number + 1
    found.end = number
    const key = logEntryKey(path, number)
    const entry = await findings.check(key, RESTORE, async () => {
      const got = await env.store.get(key)
      if (got.status !== 'ok') return 'gone'
      findings.object(key, got.sizeBytes)
      findings.figures.entries++
      return decodeEntry(got.body, key)
    })
    if (entry === 'gone') {
      reportGap(path, number, number, found, findings)
      continue
    }
    if (entry) found.entries.push(entry)
    else found.damaged.push(number)
  }
  for (const [number, sizeBytes] of listed) {
    if (number > watermark) continue
    findings.figures.foldedEntries++
    const key = logEntryKey(path, number)
    findings.object(key, sizeBytes)
    if (!deep) continue
    const remedy = 'It is folded: only reads of its point in time need it. Nothing has to be done.'
    const decode = async (): Promise<void> => {
      const got = await env.store.get(key)
      // It may have been deleted after it was listed.
      if (got.status === 'ok') decodeEntry(got.body, key)
    }
    await findings.check(key, remedy, decode, 'warning')
  }
  return found
}

function reportGap(path: string, first: number, last: number, found: LogFindings, findings: Findings): void {
  found.missing.push({ first, last })
  const which = first === last ? 'it is' : `entries ${first} to ${last} are`
  findings.report(logEntryKey(path, first), `${which} missing, although later ones exist`, RESTORE)
}

async function checkControl(env: Pick<Environment, 'store'>, entry: LogEntry, findings: Findings): Promise<void> {
  if (entry.control?.kind !== 'reset' || entry.control.manifestKey === '') return
  const { manifestKey } = entry.control
  if (!(await env.store.head(manifestKey)))
    findings.report(manifestKey, `entry ${entry.number} goes back to it, but it does not exist`, RESTORE)
}

async function statusOf(
  read: () => Promise<DeltaContent>,
  key: string,
  findings: Findings,
): Promise<DeltaContent['status'] | 'unsupported'> {
  try {
    return (await read()).status
  } catch (error) {
    if (isSiltstoneError(error, 'corrupt')) {
      findings.report(key, error.message, RESTORE)
      return 'unsupported'
    }
    if (!isSiltstoneError(error, 'unsupported')) throw error
    findings.report(key, error.message, 'Upgrade Siltstone on this machine: a newer producer wrote it.')
    return 'unsupported'
  }
}
