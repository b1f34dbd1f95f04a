import { type Command, Option } from 'commander'
import { join } from 'node:path'
import { invalid } from '../../errors.ts'
import { parseWhere } from '../../filter/index.ts'
import {
  EXPORT_FORMATS,
  exportCollection,
  type ExportFormat,
  jsonLine,
  recordsOf,
} from '../../../../migrate/src/index.ts'
import { writeOut } from '../../host/process.ts'
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
    .option('--out <directory>', 'where to; "-" writes JSON Lines to stdout; default <collection>-export')
    .addOption(new Option('--format <format>', 'of the files').choices([...EXPORT_FORMATS]).default('jsonl'))
    .option('--where <json>', 'only records whose metadata match')
    .option('--restart', 'replace an export that is there')
    .addHelpText(
      'after',
      '\nThe state of one moment, whatever is written meanwhile. Run it again to go on where it was stopped.' +
        '\nEach file can be given to "siltstone produce"; the whole to "siltstone migrate export".',
    )
    .action((name: string, options: ExportCommandOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const { where, format } = options
        const filter = where === undefined ? undefined : parseWhere(exactJson(where), 'exact')
        if (options.out === '-') {
          if (format !== 'jsonl')
            throw invalid('bad-format', 'only JSON Lines go to stdout; give a directory with --out', {
              field: '--format',
            })
          let pageToken: string | undefined
          do {
            const include = { embeddings: true, documents: true, metadatas: true, uris: true }
            const page = await collection.get({
              include,
              limit: 1_000,
              ...(filter && { filter }),
              ...(pageToken !== undefined && { pageToken }),
            })
            await writeOut(recordsOf(page).map(jsonLine).join(''))
            pageToken = page.pageToken
          } while (pageToken !== undefined)
          return
        }
        const directory = options.out ?? `${info.name}-export`
        const total = filter === undefined ? ` of ${count(await collection.count())}` : ''
        const { file, resumed } = await exportCollection(collection, directory, {
          format,
          restart: options.restart === true,
          ...(filter && { filter }),
          ...(where !== undefined && { where }),
          onProgress: (records) => session.out.progress(`${count(records)}${total} records …`),
        })
        await session.out.endProgress()
        const { parts, records, version } = file
        const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
        await session.out.answer(
          { collection: info.name, directory, format, version, records, sizeBytes, resumed, parts },
          () =>
            `${plural(records, 'record')} of ${info.name} in ${plural(parts.length, 'file')}, ${bytes(sizeBytes)}${resumed ? ' (resumed)' : ''}: ${join(directory, 'export.json')}\n`,
        )
      }),
    )
}
