/**
 * The value of each setting: from the command line, else from the environment, else from the configuration file, else its
 * default. An empty variable counts as not set.
 *
 * Every problem is kept, so that `siltstone config check` can show them all; a server reports the first one and ends.
 */
import { dirname, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { isUrl } from '../../drivers/open-environment.ts'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { readFileText } from '../../host/files.ts'
import { nearest } from '../../library/check-arguments.ts'
import { parseJson, parseText, type Setting, type Variables, variableOf } from './setting.ts'

export interface Resolved {
  values: Record<string, unknown>
  /** By key: `flag`, `environment SILTSTONE_PORT`, `file /etc/siltstone.json`, `default`. */
  sources: Record<string, string>
  /** In the order of the table. */
  problems: Error[]
  warnings: string[]
}

const CONFIG_VARIABLE = 'SILTSTONE_CONFIG'

export function configOption(): Option {
  return new Option(
    '--config <file>',
    `JSON file of settings; flags and variables override it (env: ${CONFIG_VARIABLE})`,
  )
}

/** @param command after it was parsed; its options are `optionOf` of the settings, and `configOption()` */
export async function resolveSettings(
  command: Command,
  settings: readonly Setting[],
  variables: Variables,
): Promise<Resolved> {
  const found: Resolved = { values: {}, sources: {}, problems: [], warnings: misspelt(settings, variables) }
  const path = (command.getOptionValue('config') as string | undefined) ?? given(variables, CONFIG_VARIABLE)
  const file = path === undefined ? {} : await readConfig(path, settings, found)
  for (const setting of settings) {
    const { key, contentVariable } = setting
    const variable = variableOf(setting)
    const text = given(variables, variable)
    const take = (value: unknown, source: string) => {
      found.values[key] = value
      found.sources[key] = source
    }
    const attempt = (parse: () => unknown, shown: string, source: string) => {
      try {
        take(parse(), source)
      } catch (cause) {
        if (!(cause instanceof InvalidArgumentError)) throw cause
        found.problems.push(
          invalid('bad-configuration', `${shown}: ${lowerFirst(cause.message)}`, { field: key, cause }),
        )
      }
    }
    if (command.getOptionValueSource(key) === 'cli') take(command.getOptionValue(key), 'flag')
    else if (text !== undefined) {
      if (contentVariable !== undefined && given(variables, contentVariable) !== undefined)
        found.problems.push(
          invalid('bad-configuration', `${variable} and ${contentVariable} are both set: set one of them`, {
            field: key,
          }),
        )
      attempt(
        () => parseText(setting, text),
        `${variable} is ${JSON.stringify(text)}${serviceLink(text)}`,
        `environment ${variable}`,
      )
    } else if (contentVariable !== undefined && given(variables, contentVariable) !== undefined)
      found.sources[key] = `environment ${contentVariable}`
    else if (Object.hasOwn(file, key))
      attempt(
        () => fromFile(setting, file[key], path as string),
        `${path}: ${key} is ${shortJson(file[key])}`,
        `file ${path}`,
      )
    else if (setting.default !== undefined) take(setting.default, 'default')
  }
  return found
}

function given(variables: Variables, name: string): string | undefined {
  const text = variables[name]
  return text === undefined || text.trim() === '' ? undefined : text
}

async function readConfig(
  path: string,
  settings: readonly Setting[],
  { problems }: Resolved,
): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFileText(path)
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    problems.push(error)
    return {}
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    problems.push(invalid('bad-configuration', `${path} is not JSON: ${(cause as Error).message}`, { cause }))
    return {}
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    problems.push(invalid('bad-configuration', `${path} is not a JSON object: write {"port": 8000}`))
    return {}
  }
  const known = settings.map(({ key }) => key)
  for (const key of Object.keys(json)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const remedy = near === undefined ? `the settings are ${known.join(', ')}` : `did you mean ${near}?`
    problems.push(
      invalid('bad-configuration', `${path}: there is no setting ${JSON.stringify(key)}; ${remedy}`, { field: key }),
    )
  }
  return json as Record<string, unknown>
}

function fromFile(setting: Setting, value: unknown, path: string): unknown {
  const parsed = parseJson(setting, value)
  if (setting.isPath !== true || typeof parsed !== 'string' || isUrl(parsed)) return parsed
  return resolve(dirname(path), parsed)
}

/** Variables that are one slip away from a setting's. Others with the prefix belong to other commands, or to nobody. */
function misspelt(settings: readonly Setting[], variables: Variables): string[] {
  const known = settings.flatMap((setting) => [variableOf(setting), setting.contentVariable ?? variableOf(setting)])
  return Object.keys(variables)
    .filter((name) => name.startsWith('SILTSTONE_') && !known.includes(name))
    .flatMap((name) => {
      const near = known.find((one) => isOneSlip(name, one))
      return near === undefined ? [] : [`${name} is not a setting: did you mean ${near}?`]
    })
}

/** One letter more, less or other, or two neighbours exchanged. */
function isOneSlip(a: string, b: string): boolean {
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const [left, right] = [a.slice(start), b.slice(start)]
  return (
    left.slice(1) === right ||
    left === right.slice(1) ||
    left.slice(1) === right.slice(1) ||
    (left.slice(2) === right.slice(2) && left[0] === right[1] && left[1] === right[0])
  )
}

/** Kubernetes sets `SILTSTONE_PORT=tcp://…` in every pod of a namespace that has a service called siltstone. */
function serviceLink(text: string): string {
  return text.startsWith('tcp://') ? ' (Kubernetes sets it for a service: give the pod enableServiceLinks: false)' : ''
}

function shortJson(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
