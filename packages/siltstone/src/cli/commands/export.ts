import { type Command, Option } from 'commander'
import { join } from 'node:path'
import { invalid } from '../../errors.ts'
import { parseWhere } from '../../filter/index.ts'
import { exportCollection, recordsFrom } from '../../export/export-collection.ts'
import { EXPORT_FILE, EXPORT_FORMATS, type ExportFormat } from '../../export/export-file.ts'
import { writeOut } from '../../host/process.ts'
import type { Filter } from '../../model/filter.ts'
import type { Collection } from '../../model/store.ts'
import { lineFromRecord } from '../../records/json-lines.ts'
import { exactJson } from '../arguments.ts'
import { command } from '../command.ts'
import { bytes, count, plural } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface ExportCommandOptions extends CommonOptions {
  out?: string
  format: ExportFormat
  where?: string
  restart?: boolean
}

export function exportCommand(): Command {
  const made = command('export <collection>', 'write a collection’s records to files: JSON Lines or Arrow', [
    'export notes --out ./notes-export',
    `export notes --format arrow --out ./letters --where '{"kind":"letter"}'`,
    'export notes --out - | head',
  ])
  return withStoreOptions(made)
    .option('--out <directory>', 'directory to write; "-" writes JSON Lines to stdout; default <collection>-export')
    .addOption(new Option('--format <format>', 'format of the files').choices([...EXPORT_FORMATS]).default('jsonl'))
    .option('--where <json>', 'only records whose metadata match')
    .option('--restart', 'replace an export that is in the directory')
    .addHelpText(
      'after',
      '\nAn export is one state of the collection; later writes do not change it. Run a stopped export again to resume it.' +
        '\n"siltstone produce" reads each file; "siltstone migrate export" reads the whole directory.',
    )
    .action((name: string, options: ExportCommandOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const { where } = options
        const filter = where === undefined ? undefined : parseWhere(exactJson(where), 'exact')
        if (options.out === '-') await writeLines(collection, filter, options)
        else await writeDirectory(session, collection, filter, options)
      }),
    )
}

async function writeLines(
  collection: Collection,
  filter: Filter | undefined,
  { format }: ExportCommandOptions,
): Promise<void> {
  if (format !== 'jsonl')
    throw invalid('bad-format', 'stdout takes JSON Lines only; give a directory with --out', { field: '--format' })
  let pageToken: string | undefined
  do {
    const page = await collection.get({
      include: { embeddings: true, documents: true, metadatas: true, uris: true },
      limit: 1_000,
      ...(filter && { filter }),
      ...(pageToken !== undefined && { pageToken }),
    })
    await writeOut(recordsFrom(page).map(lineFromRecord).join(''))
    pageToken = page.pageToken
  } while (pageToken !== undefined)
}

async function writeDirectory(
  { out }: Session,
  collection: Collection,
  filter: Filter | undefined,
  options: ExportCommandOptions,
): Promise<void> {
  const { name } = collection.info
  const { format, where, restart, out: directory = `${name}-export` } = options
  const total = filter === undefined ? ` of ${count(await collection.count())}` : ''
  const { file, resumed } = await exportCollection(collection, directory, {
    format,
    restart: restart === true,
    ...(filter && { filter }),
    ...(where !== undefined && { where }),
    onProgress: (records) => out.progress(`${count(records)}${total} records …`),
  })
  await out.endProgress()
  const { parts, records, version } = file
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  await out.answer(
    { collection: name, directory, format, version, records, sizeBytes, resumed, parts },
    () =>
      `${plural(records, 'record')} of ${name} in ${plural(parts.length, 'file')}, ${bytes(sizeBytes)}${resumed ? ' (resumed)' : ''}: ${join(directory, EXPORT_FILE)}\n`,
  )
}
