/**
 * One setting of a server. Its entry in a table decides how it is written as a flag, as a variable of the environment and
 * as a key of the configuration file, and how each spelling is parsed; the command line, `siltstone config` and
 * `docs/reference/configuration.md` are made from the table.
 */
import { InvalidArgumentError, Option } from 'commander'

export interface Setting {
  /** Its name in the configuration file, and in the options of a command: `cacheMb`. */
  key: string
  /** As Commander has it: `--port <port>`, `--read-only`, `--no-console`, `--cors <origins...>`. */
  flags: string
  description: string
  /** What the value true means, where the flag says the opposite. */
  whenTrue?: string
  /**
   * `text`, `number` and `switch`: one value. `list`: several; a variable separates them with commas. `counts`: a number by
   * name, `{"maxIds": 100}` in a file and `maxIds=100` elsewhere.
   */
  shape: 'text' | 'number' | 'switch' | 'list' | 'counts'
  /** Parses one value; of `counts` with what came before. @throws InvalidArgumentError with what to give instead */
  parse?: (text: string, before?: unknown) => unknown
  choices?: readonly string[]
  default?: string | number | boolean
  /** The value names a file or directory: in a configuration file, it is relative to that file's folder. */
  isPath?: boolean
  /** A variable that holds the content of the file itself, for secrets that are handed over without a file. */
  contentVariable?: string
  /** Replaces the name that is derived from the key. */
  variable?: string
}

export type Variables = Readonly<Record<string, string | undefined>>

/** `cacheMb` → `SILTSTONE_CACHE_MB` */
export function variableOf({ key, variable }: Setting): string {
  return variable ?? `SILTSTONE_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** `--no-console` → `--console`: the name of the setting itself. */
export function flagOf({ flags }: Setting): string {
  return flags.split(' ', 1)[0] as string
}

/**
 * The option of the command line. Commander parses flags only: its own reading of variables takes `X=false` for true, and an
 * empty variable for a value.
 */
export function optionOf(setting: Setting): Option {
  const { flags, description, parse, choices, default: standard } = setting
  const variables = [variableOf(setting), setting.contentVariable].filter((name) => name !== undefined)
  const option = new Option(flags, `${description} (env: ${variables.join(', ')})`)
  if (choices !== undefined) option.choices(choices)
  else if (parse !== undefined && setting.shape === 'list')
    option.argParser((text: string, before?: unknown[]) => [...(before ?? []), parse(text)])
  else if (parse !== undefined) option.argParser(parse)
  if (standard !== undefined && !option.negate) option.default(standard)
  return option
}

const YES = ['true', '1', 'yes', 'on']
const NO = ['false', '0', 'no', 'off']

/** Parses the text of a variable. @throws InvalidArgumentError */
export function parseText(setting: Setting, text: string): unknown {
  switch (setting.shape) {
    case 'switch': {
      const word = text.trim().toLowerCase()
      if (YES.includes(word)) return true
      if (NO.includes(word)) return false
      throw new InvalidArgumentError('Give true or false.')
    }
    case 'list':
      return parts(text).map((part) => single(setting, part))
    case 'counts':
      return parts(text).reduce<unknown>((before, part) => setting.parse?.(part, before), undefined)
    case 'text':
    case 'number':
      return single(setting, text)
  }
}

/** Parses a value of the configuration file. @throws InvalidArgumentError */
export function parseJson(setting: Setting, value: unknown): unknown {
  switch (setting.shape) {
    case 'switch':
      if (typeof value === 'boolean') return value
      throw new InvalidArgumentError('Give true or false.')
    case 'number':
      if (typeof value === 'number') return single(setting, String(value))
      throw new InvalidArgumentError('Give a number.')
    case 'text':
      if (typeof value === 'string') return single(setting, value)
      throw new InvalidArgumentError('Give a string.')
    case 'list':
      if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
        return value.map((item) => single(setting, item))
      throw new InvalidArgumentError('Give a list of strings.')
    case 'counts':
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        return Object.entries(value).reduce<unknown>(
          (before, [name, count]) => setting.parse?.(`${name}=${String(count)}`, before),
          undefined,
        )
      throw new InvalidArgumentError('Give an object of numbers.')
  }
}

function single({ choices, parse }: Setting, text: string): unknown {
  if (choices !== undefined && !choices.includes(text))
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`)
  return parse === undefined ? text : parse(text)
}

function parts(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
