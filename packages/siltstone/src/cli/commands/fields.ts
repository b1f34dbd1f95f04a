import type { Command } from 'commander'
import { fieldsOf } from '../../engine/fields.ts'
import { parseWhere } from '../../filter/index.ts'
import type { FieldInfo } from '../../model/maintenance.ts'
import type { ExactJson } from '../../records/exact-json.ts'
import { exactJson, version, wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { count, plural, table } from '../format.ts'
import { type CommonOptions, Session, withStoreOptions } from '../session.ts'

interface FieldsOptions extends CommonOptions {
  values?: number
  maxRecords: number
  where?: ExactJson
  at?: number
}

export function fieldsCommand(): Command {
  const made = command('fields <collection> [key]', 'show the keys of the metadata and their most frequent values', [
    'fields notes',
    `fields notes author --values 50 --where '{"year":2024}'`,
  ])
  return withStoreOptions(made)
    .option('--values <n>', 'values to list for each key; default 5, or 20 for one key', wholeNumber(0))
    .option('--max-records <n>', 'read the metadata of at most this many records', wholeNumber(1), 100_000)
    .option('--where <json>', 'only records whose metadata match', exactJson)
    .option('--at <version>', 'of an earlier state: a version, or the name of a snapshot', version)
    .action((name: string, key: string | undefined, options: FieldsOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const { tenant, database, id } = await session.collection(name)
        const report = await fieldsOf(await session.engine.collection(tenant, database, id), {
          values: options.values ?? (key === undefined ? 5 : 20),
          maxRecords: options.maxRecords,
          ...(key !== undefined && { key }),
          ...(options.where !== undefined && { filter: parseWhere(options.where, 'exact') }),
          ...(options.at !== undefined && { at: options.at }),
        })
        await session.out.answer(report, () => {
          const note = report.complete ? '' : `\nOf the first ${plural(report.records, 'record')} only.\n`
          return (key === undefined ? keysTable(report.fields) : valuesTable(report.fields)) + note
        })
      }),
    )
}

function keysTable(fields: readonly FieldInfo[]): string {
  return table(
    fields,
    [
      { title: 'KEY', value: (field) => field.key, maxWidth: 40 },
      { title: 'TYPES', value: ({ types }) => types.join(', ') },
      { title: 'RECORDS', value: ({ records }) => count(records), right: true },
      { title: 'DISTINCT', value: ({ distinct, uncounted }) => count(distinct) + (uncounted ? '+' : ''), right: true },
      {
        title: 'VALUES',
        value: ({ values }) => values.map(({ value, records }) => `${shown(value)} (${count(records)})`).join(', '),
        maxWidth: 80,
      },
    ],
    'No record has metadata.',
  )
}

function valuesTable(fields: readonly FieldInfo[]): string {
  return table(
    fields.flatMap(({ values }) => values),
    [
      { title: 'VALUE', value: ({ value }) => shown(value), maxWidth: 80 },
      { title: 'RECORDS', value: ({ records }) => count(records), right: true },
    ],
    'No record has this key.',
  )
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : String(value)
}
