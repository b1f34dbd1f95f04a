import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOption, resolveSettings } from './resolve.ts'
import { conflictsOf, SERVE_SETTINGS } from './serve-settings.ts'
import { flagOf, optionOf, type Setting, type Variables, variableOf } from './setting.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-settings-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function resolved(args: readonly string[], variables: Variables = {}, file?: unknown) {
  const command = new Command('serve').exitOverride().addOption(configOption())
  for (const setting of SERVE_SETTINGS) command.addOption(optionOf(setting))
  const path = join(folder, 'siltstone.json')
  if (file !== undefined) writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file))
  command.parse([...args, ...(file === undefined ? [] : ['--config', path])], { from: 'user' })
  return resolveSettings(command, SERVE_SETTINGS, variables)
}
const messages = async (...given: Parameters<typeof resolved>) =>
  (await resolved(...given)).problems.map(({ message }) => message)

/** Three different values of a setting: as a flag, in a variable, in a file. */
function samples(setting: Setting): {
  flag: string[]
  text: string
  json: unknown
  values: [unknown, unknown, unknown]
} {
  const { shape, choices, key } = setting
  const flag = flagOf(setting)
  if (shape === 'switch') {
    const on = !flag.startsWith('--no-')
    return { flag: [flag], text: String(!on), json: on, values: [on, !on, on] }
  }
  if (shape === 'counts')
    return {
      flag: [flag, 'maxIds=1', 'maxRecords=2'],
      text: 'maxIds=3, maxRecords=4',
      json: { maxIds: 5, maxRecords: 6 },
      values: [
        { maxIds: 1, maxRecords: 2 },
        { maxIds: 3, maxRecords: 4 },
        { maxIds: 5, maxRecords: 6 },
      ],
    }
  if (shape === 'list') {
    const [a, b, c] = key === 'trustedProxy' ? ['10.0.0.1', '10.0.0.2', '10.0.0.3'] : ['a.example', 'b.example', 'c']
    return { flag: [flag, a as string], text: `${b}, ${c}`, json: [c], values: [[a], [b, c], [c]] }
  }
  if (shape === 'number') {
    const [a, b, c] = /recall/.test(key) ? [0.1, 0.2, 0.3] : [1, 2, 3]
    return { flag: [flag, String(a)], text: String(b), json: c, values: [a, b, c] }
  }
  const [a, b, c] = (choices ?? ['/a', '/b', '/c']) as [string, string, string]
  return { flag: [flag, a], text: b, json: c, values: [a, b, c] }
}

describe('a setting', () => {
  it.each(SERVE_SETTINGS.map((setting) => [setting.key, setting] as const))(
    '%s comes from the flag, else from the variable, else from the file, else from its default',
    async (key, setting) => {
      const { flag, text, json, values } = samples(setting)
      const variables = { [variableOf(setting)]: text }
      const file = { [key]: json }
      const of = async (...given: Parameters<typeof resolved>) => {
        const found = await resolved(...given)
        expect(found.problems).toEqual([])
        return [found.values[key], found.sources[key]]
      }
      expect(await of(flag, variables, file)).toEqual([values[0], 'flag'])
      expect(await of([], variables, file)).toEqual([values[1], `environment ${variableOf(setting)}`])
      expect(await of([], {}, file)).toEqual([values[2], `file ${join(folder, 'siltstone.json')}`])
      const standard = setting.default === undefined ? undefined : 'default'
      expect(await of([])).toEqual([setting.default, standard])
      expect(await of([], { [variableOf(setting)]: ' ' })).toEqual([setting.default, standard])
    },
  )

  it('has a name of its own in every spelling', () => {
    for (const names of [
      SERVE_SETTINGS.map(({ key }) => key),
      SERVE_SETTINGS.map(flagOf),
      SERVE_SETTINGS.flatMap((setting) => [variableOf(setting), setting.contentVariable ?? []].flat()),
    ])
      expect(new Set(names).size).toBe(names.length)
    for (const setting of SERVE_SETTINGS) {
      const option = optionOf(setting)
      expect(option.attributeName()).toBe(setting.key)
      expect([option.variadic, !option.required && !option.optional]).toEqual([
        setting.shape === 'list' || setting.shape === 'counts',
        setting.shape === 'switch',
      ])
    }
  })
})

describe('the configuration', () => {
  it('names everything that is wrong with it, and the remedy', async () => {
    expect(
      await messages(
        ['--host', 'x'],
        {
          SILTSTONE_CACHE_MB: 'many',
          SILTSTONE_MCP: 'maybe',
          SILTSTONE_LOG_LEVEL: 'loud',
          SILTSTONE_LIMIT: 'maxIdz=1',
        },
        {
          prot: 1,
          port: '8000',
          cors: 'https://a',
          readOnly: 1,
          limit: [1],
          zzzzzzzzzz: 1,
          objectsPort: 70_000,
          data: 3,
        },
      ),
    ).toEqual([
      expect.stringContaining('there is no setting "prot"; did you mean port?'),
      expect.stringMatching(/there is no setting "zzzzzzzzzz"; the settings are data, host, port, /),
      expect.stringMatching(/siltstone.json: data is 3: give a string/),
      expect.stringMatching(/port is "8000": give a number/),
      expect.stringMatching(/readOnly is 1: give true or false/),
      expect.stringMatching(/cors is "https:\/\/a": give a list of strings/),
      expect.stringMatching(/^SILTSTONE_LIMIT is "maxIdz=1": give name=number with one of maxBodyBytes/),
      expect.stringMatching(/^SILTSTONE_LOG_LEVEL is "loud": allowed choices are debug/),
      expect.stringMatching(/^SILTSTONE_MCP is "maybe": give true or false/),
      expect.stringMatching(/^SILTSTONE_CACHE_MB is "many": give an integer of 1 or more/),
      expect.stringMatching(/objectsPort is 70000: give a port from 0 to 65535/),
    ])
    expect(await messages([], {}, '{')).toEqual([expect.stringContaining('is not JSON')])
    expect(await messages([], {}, '[]')).toEqual([expect.stringContaining('is not a JSON object')])
    expect(await messages(['--config', join(folder, 'none.json')])).toEqual([expect.stringContaining('no such file')])
  })

  it('reads paths of the file from its folder, and leaves buckets and absolute paths alone', async () => {
    const { values } = await resolved([], {}, { data: 'store', tokens: '/etc/tokens.json', embedders: '../e.json' })
    expect(values).toMatchObject({
      data: join(folder, 'store'),
      tokens: '/etc/tokens.json',
      embedders: join(folder, '../e.json'),
    })
    expect((await resolved([], {}, { data: 's3://bucket/x' })).values['data']).toBe('s3://bucket/x')
    expect((await resolved([], { SILTSTONE_DATA: 'store' })).values['data']).toBe('store')
  })

  it('may stand where a variable says', async () => {
    writeFileSync(join(folder, 'other.json'), '{"port": 7}')
    expect((await resolved([], { SILTSTONE_CONFIG: join(folder, 'other.json') })).values['port']).toBe(7)
  })

  it('notices a misspelt variable, and one that Kubernetes has set', async () => {
    const variables = {
      SILTSTONE_PROT: '1',
      SILTSTONE_HOSTT: 'x',
      SILTSTONE_TENANT: 'acme',
      SILTSTONE_SERVICE_HOST: '',
    }
    expect((await resolved([], variables)).warnings).toEqual([
      'SILTSTONE_PROT is not a setting: did you mean SILTSTONE_PORT?',
      'SILTSTONE_HOSTT is not a setting: did you mean SILTSTONE_HOST?',
    ])
    expect(await messages([], { SILTSTONE_PORT: 'tcp://10.0.0.1:8000' })).toEqual([
      expect.stringContaining('enableServiceLinks: false'),
    ])
  })

  it('takes a secret as content or as a file, not both', async () => {
    const both = { SILTSTONE_TOKENS: '[]', SILTSTONE_TOKENS_FILE: 'x' }
    expect(await messages([], both)).toEqual([
      'SILTSTONE_TOKENS_FILE and SILTSTONE_TOKENS are both set: set one of them',
    ])
    const { values, sources } = await resolved([], { SILTSTONE_TOKENS: '[]' }, { tokens: 'x' })
    expect([values['tokens'], sources['tokens']]).toEqual([undefined, 'environment SILTSTONE_TOKENS'])
  })

  it('needs certificate and key', () => {
    expect(conflictsOf({ tlsCert: 'a' })).toHaveLength(1)
    expect(conflictsOf({ tlsKey: 'a' })).toHaveLength(1)
    expect(conflictsOf({ tlsCert: 'a', tlsKey: 'b' })).toEqual([])
    expect(conflictsOf({ registryKeepDays: 1, registryGcHours: 0 })).toHaveLength(1)
    expect(conflictsOf({ registryKeepDays: 1, registryGcHours: 24 })).toEqual([])
    expect(conflictsOf({ registryAccounts: true })).toHaveLength(1)
    expect(conflictsOf({ registryAccounts: true, registry: true })).toEqual([])
  })
})
