/**
 * The page of all settings, generated from their table: `node test/docs/configuration-page.ts` writes it, a test compares it.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagOf, SERVE_SETTINGS, type Setting, variableOf } from 'siltstone/internal'

export const CONFIGURATION_PAGE = fileURLToPath(new URL('../../docs/reference/configuration.md', import.meta.url))

const HEAD = `# Configuration of a server

\`siltstone serve\` takes each setting from its flag, else from its environment variable, else from the configuration file, else
its default. An empty variable counts as not set. The file is named by \`--config FILE\` or \`SILTSTONE_CONFIG\`:

\`\`\`json
{
  "data": "/var/lib/siltstone/store",
  "host": "0.0.0.0",
  "tokens": "tokens.json",
  "limit": { "maxIds": 200000 }
}
\`\`\`

Paths in the file are relative to its folder. An unknown key, or a value of another type, is an error.
\`siltstone config check\` takes the options of \`siltstone serve\`, shows every setting with where it comes from, reads the files
that settings name, and reports all problems at once; it exits with 2 if there is one.

| shape | in the file | as a variable |
|---|---|---|
| string | \`"text"\` | the text |
| number | \`8000\` | the digits |
| switch | \`true\`, \`false\` | \`true\`, \`1\`, \`yes\`, \`on\`, or \`false\`, \`0\`, \`no\`, \`off\` |
| list | \`["a", "b"]\` | \`a,b\` |
| numbers by name | \`{"maxIds": 5}\` | \`maxIds=5,maxRecords=9\` |

## Settings
`

const SHAPES: Record<Setting['shape'], string> = {
  text: 'string',
  number: 'number',
  switch: 'switch',
  list: 'list',
  counts: 'numbers by name',
}

const FOOT = `
Variables that are no settings of a server: \`SILTSTONE_TENANT\` and \`SILTSTONE_DATABASE\` (other commands),
\`SILTSTONE_QUEUE_URL\`, \`SILTSTONE_LOCK_TABLE\` and \`SILTSTONE_CACHE_DIRECTORY\` (stores in a bucket), and those of the AWS SDK,
OpenTelemetry and the providers of embeddings.

*Checked by \`test/docs/pages.test.ts\`.*
`

function row(setting: Setting): string {
  const { key, whenTrue, description, shape, choices, contentVariable } = setting
  const variables = [variableOf(setting), contentVariable && `${contentVariable} (the content itself)`].filter(Boolean)
  const type = choices === undefined ? SHAPES[shape] : choices.join(', ')
  const standard = setting.default === undefined ? '' : `\`${String(setting.default)}\``
  const code = (text: string) => text.replace(/^[A-Z_]+/, '`$&`')
  const text = (whenTrue ?? description).replaceAll('|', '\\|').replaceAll('*', '\\*')
  return `| \`${key}\` | \`${flagOf(setting)}\` | ${variables.map((name) => code(String(name))).join(', ')} | ${type} | ${standard} | ${text} |`
}

export function configurationPage(): string {
  const head = ['| key | flag | variable | shape | default | |', '|---|---|---|---|---|---|']
  return `${HEAD}\n${[...head, ...SERVE_SETTINGS.map(row)].join('\n')}\n${FOOT}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(CONFIGURATION_PAGE, configurationPage())
