/**
 * The files in `deploy/`, as far as that goes without a daemon or a cluster: they parse, lint clean, and name only settings,
 * commands, files and metrics that exist. The metrics are those of a real server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parser } from '@prometheus-io/lezer-promql'
import { DockerfileParser } from 'dockerfile-ast'
import { validate } from 'dockerfile-utils'
import { describeCommands, loadCommandLine, nodesOf, SERVE_SETTINGS, variableOf } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = (path: string) => join(root, path)
const read = (path: string) => readFileSync(at(path), 'utf8')
const yaml = (path: string): unknown => parse(read(path))

const SETTINGS = SERVE_SETTINGS.map(({ key }) => key)
const VARIABLES = [
  'SILTSTONE_CONFIG',
  ...SERVE_SETTINGS.flatMap((setting) => [variableOf(setting), setting.contentVariable ?? []].flat()),
]
const variablesIn = (text: string) => [...new Set(text.match(/\bSILTSTONE_[A-Z_]+/g) ?? [])]

describe('the container', () => {
  const file = 'deploy/container/Dockerfile'
  const dockerfile = DockerfileParser.parse(read(file))
  const instructions = dockerfile.getInstructions()
  const last = (keyword: string) =>
    instructions.findLast((one) => one.getKeyword() === keyword)?.getRawArgumentsContent() ?? ''

  it('lints clean, and ends in a stage of its own that does not run as root', () => {
    expect(validate(read(file))).toEqual([])
    expect(dockerfile.getFROMs()).toHaveLength(4)
    expect(dockerfile.getFROMs().at(-1)?.getImage()).toBe('scratch')
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    const afterFrom = instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === 'FROM'))
    // There is no shell: nothing can be run in it, and programs are started by their arguments.
    expect(afterFrom.filter((one) => one.getKeyword() === 'RUN')).toEqual([])
    expect(last('HEALTHCHECK')).toMatch(/CMD \[/)
    expect(JSON.parse(last('ENTRYPOINT'))).toContain('node')
    for (const keyword of ['HEALTHCHECK', 'USER', 'EXPOSE', 'ENTRYPOINT'])
      expect(afterFrom.filter((one) => one.getKeyword() === keyword)).toHaveLength(1)
  })

  it('copies what exists and what its ignore file lets in', () => {
    const ignored = read(`${file}.dockerignore`).split('\n')
    const kept = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    for (const path of kept) expect(existsSync(at(path)), path).toBe(true)
    const copied = dockerfile
      .getCOPYs()
      .map((copy) => copy.getArguments().map((argument) => argument.getValue()))
      .filter(([first]) => !first?.startsWith('/'))
      .flatMap((values) => values.slice(0, -1))
    expect(copied.length).toBeGreaterThan(3)
    for (const path of copied) expect(kept).toContain(path)
  })

  it('has a sibling for recordings, which lints clean, copies what exists and has the versions of the lock file', () => {
    const media = 'deploy/media/Dockerfile'
    const parsed = DockerfileParser.parse(read(media))
    expect(validate(read(media))).toEqual([])
    const kept = read(`${media}.dockerignore`)
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    for (const path of kept) expect(existsSync(at(path)), path).toBe(true)
    const copied = parsed
      .getCOPYs()
      .map((copy) => copy.getArguments().map((argument) => argument.getValue()))
      .filter(([first]) => !first?.startsWith('/'))
      .flatMap((values) => values.slice(0, -1))
    for (const path of copied) expect(kept).toContain(path)
    const run = parsed.getInstructions().map((one) => one.getRawArgumentsContent() ?? '')
    const scripts = run.flatMap((line) =>
      [...line.matchAll(/node ((?:scripts|packages)\/\S+)/g)].map(([, path]) => path),
    )
    expect(scripts).toHaveLength(3)
    for (const path of scripts) expect(existsSync(at(path ?? '')), path).toBe(true)
    const { dependencies } = JSON.parse(read('deploy/media/package.json')) as { dependencies: Record<string, string> }
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version?: string }> }
    expect(dependencies['sharp']).toBe(lock.packages['node_modules/sharp']?.version)
  })

  it('sets variables and runs a command of the program', async () => {
    for (const name of variablesIn(read(file))) expect(VARIABLES).toContain(name)
    for (const name of variablesIn(read('deploy/container/health.mjs'))) expect(VARIABLES).toContain(name)
    const commands = [...nodesOf(describeCommands(await loadCommandLine()))].map(({ path }) => path.join(' '))
    expect(commands).toContain((JSON.parse(last('CMD')) as string[]).join(' '))
    const unit = /^ExecStart=\S+ (.*)$/m.exec(read('deploy/systemd/siltstone.service'))?.[1]
    expect(commands).toContain(unit)
    for (const name of variablesIn(read('deploy/systemd/siltstone.service'))) expect(VARIABLES).toContain(name)
  })

  it('is composed from files that exist', () => {
    interface Service {
      build?: { dockerfile: string }
      environment?: Record<string, string>
      volumes?: string[]
    }
    const { services, volumes } = yaml('deploy/container/compose.yaml') as {
      services: Record<string, Service>
      volumes: object
    }
    expect(services['siltstone']?.build?.dockerfile).toBe(file)
    for (const { environment = {}, volumes: mounts = [] } of Object.values(services)) {
      for (const name of Object.keys(environment)) expect(VARIABLES).toContain(name)
      for (const mount of mounts) {
        const [source = ''] = mount.split(':')
        expect(
          source.startsWith('.') ? existsSync(at(join('deploy/container', source))) : source in volumes,
          mount,
        ).toBe(true)
      }
    }
    for (const name of ['prometheus', 'grafana/datasources/prometheus', 'grafana/dashboards/siltstone'])
      expect(yaml(`deploy/container/${name}.yaml`)).toBeTypeOf('object')
  })
})

describe('the Helm chart', () => {
  const chart = 'deploy/helm/siltstone'
  const templates = readdirSync(at(`${chart}/templates`)).map(
    (name) => [name, read(`${chart}/templates/${name}`)] as const,
  )
  const values = yaml(`${chart}/values.yaml`) as Record<string, unknown>

  it('names settings, variables and files that exist', () => {
    const helpers = read(`${chart}/templates/_helpers.tpl`)
    const fixed = [...helpers.matchAll(/(?:set \$fixed|dict) "(\w+)"/g)].map(([, key]) => key)
    expect(fixed).toEqual(['host', 'data', 'tokens', 'tlsCert', 'tlsKey'])
    for (const key of [...fixed, ...Object.keys(values['config'] as object)]) expect(SETTINGS).toContain(key)
    for (const [, text] of templates) {
      for (const name of variablesIn(text)) expect(VARIABLES).toContain(name)
      for (const [, path] of text.matchAll(/\.Files\.Get "([^"]+)"/g))
        expect(existsSync(at(`${chart}/${path}`))).toBe(true)
    }
    expect(yaml(`${chart}/Chart.yaml`)).toMatchObject({ name: 'siltstone', apiVersion: 'v2' })
  })

  it('uses every value, and no other', () => {
    const used = new Set(
      templates.flatMap(([, text]) => [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, path]) => path as string)),
    )
    for (const path of used) {
      const [first = '', ...rest] = path.split('.')
      // Keys of the configuration are optional.
      if (first === 'config' && rest.length > 0) expect(SETTINGS).toContain(rest[0])
      else
        expect(
          rest.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], values[first]),
          path,
        ).toBeDefined()
    }
    for (const [key, value] of Object.entries(values)) {
      const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value) && !used.has(key)
      for (const path of isGroup ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key])
        expect([...used]).toContain(path)
    }
  })

  it.each(templates)('%s closes what it opens', (_, text) => {
    const actions = [...text.matchAll(/\{\{-?\s*(\/\*[^]*?\*\/|[^]*?)-?\}\}/g)].map(([, action]) =>
      (action as string).trim(),
    )
    expect(text.split('{{').length).toBe(text.split('}}').length)
    let depth = 0
    for (const action of actions) {
      if (/^(?:if|with|range|define)\b/.test(action)) depth++
      // A condition within a line counts as well.
      if (action === 'end') depth--
      expect(depth).toBeGreaterThanOrEqual(0)
    }
    expect(depth).toBe(0)
  })
})

describe('monitoring', () => {
  interface Rule {
    alert: string
    expr: string
    annotations: Record<string, string>
    labels: { severity: string }
  }
  const rules = (yaml('deploy/helm/siltstone/files/alerts.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  )
  const dashboard = JSON.parse(read('deploy/helm/siltstone/files/dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[]; gridPos: { x: number; y: number } }[]
    templating: { list: { name: string; query: string }[] }
  }
  const expressions = [
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, plain(expr)] as const)),
  ]

  /** Variables of Grafana replaced by what they may be. */
  function plain(expression: string): string {
    return expression.replaceAll('$__rate_interval', '5m').replaceAll('$__interval', '1m').replaceAll('$instance', '.*')
  }

  let exported: Set<string>
  let server: ChildProcess
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-deploy-'))
  beforeAll(async () => {
    const main = at('packages/siltstone/src/cli/main.ts')
    const args = ['serve', '--data', folder, '--port', '0', '--json', '--log-level', 'silent', '--recall-sample', '1']
    server = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    for await (const chunk of server.stdout as AsyncIterable<Buffer>) if (/^\}/m.test((out += chunk.toString()))) break
    const { url } = JSON.parse(out) as { url: string }
    exported = await metricsOf(url)
  }, 60_000)
  afterAll(() => {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(expressions)('%s is PromQL over metrics that a server exports', (_, expression) => {
    const names: string[] = []
    parser.parse(expression).iterate({
      enter: ({ type, from, to }) => {
        expect(type.isError, `${expression.slice(0, from)}⟨here⟩`).toBe(false)
        if (type.name === 'Identifier' && expression.slice(from, to).startsWith('siltstone_'))
          names.push(expression.slice(from, to))
      },
    })
    const wanted = expression.match(/siltstone_\w+/g) ?? []
    expect(names).toEqual(wanted)
    for (const name of wanted) expect([...exported]).toContain(name)
    expect(wanted.length > 0 || expression.startsWith('up{')).toBe(true)
  })

  it('has texts and severities, a place for each panel, and a page that says what to do', () => {
    for (const { alert, annotations, labels } of rules) {
      expect([annotations['summary'], annotations['description']]).not.toContain(undefined)
      expect(['warning', 'critical']).toContain(labels.severity)
      expect(read('docs/how-to/monitor.md')).toContain(`\`${alert}\``)
    }
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x},${y}`)
    expect(new Set(places).size).toBe(places.length)
    const query = dashboard.templating.list.find(({ name }) => name === 'instance')?.query ?? ''
    expect([...exported]).toContain(/\((\w+),/.exec(query)?.[1])
  })
})

/** Writes, searches, compacts, and gives the names of all samples that /metrics then has. */
async function metricsOf(url: string): Promise<Set<string>> {
  const collections = '/tenants/default_tenant/databases/default_database/collections'
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.ok, `${path}: ${answer.status}`).toBe(true)
    return (await answer.json()) as { id: string }
  }
  const { id } = await post(`/api/v2${collections}`, { name: 'notes' })
  const ids = Array.from({ length: 1_200 }, (_, i) => `id-${i}`)
  const embeddings = ids.map((_, i) => [Math.sin(i), Math.cos(i), (i % 7) / 7, (i % 11) / 11])
  await post(`/api/v2${collections}/${id}/add`, { ids, embeddings })
  await post(`/api/siltstone/v1${collections}/notes/compact`, undefined)
  for (let i = 0; i < 3; i++)
    await post(`/api/v2${collections}/${id}/query`, { query_embeddings: [[0, 1, 0, 1]], n_results: 5 })
  // The sampler runs beside the queries, the compaction thread reports a moment later, and requests to the store are reported
  // once a second, after the next one.
  const awaited = ['query_recall_mean', 'snapshot_size_bytes', 'store_bytes_read_total', 'store_bytes_written_total']
  for (;;) {
    await post(`/api/v2${collections}/${id}/upsert`, { ids: ['id-0'], embeddings: [[0, 0, 0, 1]] })
    await post(`/api/siltstone/v1${collections}/notes/verify?deep=true`, undefined)
    const text = await (await fetch(`${url}/metrics`)).text()
    const names = new Set(text.split('\n').flatMap((line) => /^(\w+)(?:\{| )/.exec(line)?.[1] ?? []))
    if (awaited.every((name) => names.has(`siltstone_${name}`))) return names
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
