/** `siltstone config check`: what a server would run with, and what is wrong with it, without starting one. */
import type { Command } from 'commander'
import { isLoopback } from '../../chroma/browser-guard.ts'
import { isSiltstoneError, type SiltstoneError } from '../../errors.ts'
import { readFileText } from '../../host/files.ts'
import { environmentVariables, setExitCode } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { loadConsole } from '../../server/console.ts'
import { loadMcp } from '../../server/mcp.ts'
import { readTls } from '../../server/tls.ts'
import { command, group } from '../command.ts'
import { describeError } from '../errors.ts'
import { readEmbedders } from '../embedders.ts'
import { type Column, plural, table } from '../format.ts'
import { Output } from '../output.ts'
import { withOutputOptions } from '../session.ts'
import { SERVE_SETTINGS } from '../settings/serve-settings.ts'
import type { Variables } from '../settings/setting.ts'
import { loadObjects } from './serve-objects.ts'
import { authenticator, resolveServeSettings, type ServeOptions, withServeSettings } from './serve.ts'

const SOON_MS = 14 * 24 * 3_600_000

interface Checked {
  settings: { key: string; value: unknown; source: string }[]
  problems: { code: string; field: string | undefined; message: string }[]
  warnings: string[]
}

export function configCommand(): Command {
  const check = command('check', 'show the settings of "siltstone serve", where each comes from, and every problem', [
    'config check',
    'config check --config /etc/siltstone/siltstone.json',
    'config check --port 9000 --tokens tokens.json --json',
  ])
  withServeSettings(withOutputOptions(check))
    .addHelpText(
      'after',
      '\nTakes the options of "siltstone serve", reads the files that they name, and opens no store. Exits with 2 when there is a problem.',
    )
    .action(async (_, made: Command) => {
      const out = new Output(made.opts<{ json?: boolean }>())
      const checked = await examine(made, environmentVariables())
      await out.answer(checked, () => textOf(checked))
      if (checked.problems.length > 0) setExitCode(2)
    })
  return group('config', 'check the settings of a server', [check])
}

async function examine(made: Command, variables: Variables): Promise<Checked> {
  const { values, sources, problems, warnings } = await resolveServeSettings(made, variables)
  const found = [...problems]
  const options = values as unknown as ServeOptions
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      found.push(error)
      return undefined
    }
  }
  const auth = await attempt(() => authenticator(options))
  const hasTokens = options.tokens !== undefined || auth !== undefined
  if (!hasTokens && !isLoopback(options.host))
    warnings.push(`host is ${options.host} and there are no tokens: every client that reaches it may do everything`)
  const { embedders, objectsKeys, tlsCert, tlsKey } = options
  if (embedders !== undefined) await attempt(() => readEmbedders(embedders))
  if (objectsKeys !== undefined) await attempt(() => readFileText(objectsKeys))
  if (options.objects === true) await attempt(() => loadObjects(options))
  if (options.mcp === true) await attempt(() => loadMcp('"siltstone serve --mcp"'))
  if (options.console && (await attempt(loadConsole)) === undefined)
    warnings.push('the package @siltstone/console is not installed, so there is no console at /')
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const tls = await attempt(() => readTls({ certPath: tlsCert, keyPath: tlsKey }))
    if (tls !== undefined) warnings.push(...expiryWarning(tlsCert, tls.certificate.expiresAtMs))
  }
  return {
    settings: SERVE_SETTINGS.filter(({ key }) => sources[key] !== undefined).map(({ key }) => ({
      key,
      // The content of a variable is secret.
      value: values[key] ?? '…',
      source: sources[key] as string,
    })),
    problems: found.map((error) => {
      const { code, message } = describeError(error)
      return { code, field: (error as SiltstoneError).field, message }
    }),
    warnings,
  }
}

function expiryWarning(path: string, expiresAtMs: number): string[] {
  const leftMs = expiresAtMs - systemClock.nowMs()
  if (leftMs > SOON_MS) return []
  const date = new Date(expiresAtMs).toISOString().slice(0, 10)
  return [`the certificate in ${path} ${leftMs < 0 ? 'expired' : 'expires'} on ${date}`]
}

function textOf({ settings, problems, warnings }: Checked): string {
  const columns: Column<Checked['settings'][number]>[] = [
    { title: 'setting', value: ({ key }) => key },
    { title: 'value', value: ({ value }) => shown(value) },
    { title: 'from', value: ({ source }) => source },
  ]
  const lines = [
    ...warnings.map((text) => `WARN  ${text}`),
    ...problems.map(({ message }) => `FAIL  ${message}`),
    problems.length === 0 ? 'The settings are right.' : `${plural(problems.length, 'problem')}.`,
  ]
  return `${table(settings, columns, '')}\n${lines.join('\n')}\n`
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
