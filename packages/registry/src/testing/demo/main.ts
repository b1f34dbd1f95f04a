/**
 * `npm run demo:registry`: a registry on a temporary directory, filled from recorded sources and from a small model folder that is made
 * here; nothing outside this machine is asked. It starts the command line as a user does, and speaks HTTP with it. `--once` ends after
 * the tour; else it keeps serving.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fakeService } from '../fake-services.ts'
import { OWN_README, recordedGithub, recordedHub } from './recorded.ts'

const isOnce = process.argv.includes('--once')
const say = (text: string) => void process.stdout.write(`${text}\n`)
const step = (title: string) => say(`\n── ${title}`)

interface Found {
  name: string
  id: string
  type: string
  net_score?: number
  license?: string
}

const folder = await mkdtemp(join(tmpdir(), 'siltstone-registry-demo-'))
const hub = await fakeService(recordedHub())
const github = await fakeService(recordedGithub())
const server = await startServer()
try {
  await tour()
  if (!isOnce) {
    say(`\nThe registry serves until Ctrl-C: ${server.url}, for clients of the Hub:\n${server.variables}`)
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  }
} finally {
  await server.stop()
  await hub.close()
  await github.close()
  await rm(folder, { recursive: true, force: true })
}

async function startServer() {
  const main = join(dirname(createRequire(import.meta.url).resolve('siltstone/package.json')), 'src/cli/main.ts')
  const port = isOnce ? '0' : '9100'
  const options = ['--data', join(folder, 'data'), '--port', '0', '--registry', '--registry-port', port, '--json']
  const child = spawn(process.execPath, [main, 'serve', ...options, '--log-level', 'error'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      REGISTRY_HUB_URL: hub.url,
      REGISTRY_GITHUB_URL: 'https://github.test',
      REGISTRY_GITHUB_API_URL: github.url,
      REGISTRY_ADMIN_USER: 'admin',
      REGISTRY_ADMIN_PASSWORD: '',
      REGISTRY_GATE: '',
      GITHUB_TOKEN: '',
      HF_TOKEN: '',
    },
  })
  const exited = once(child, 'exit')
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  if (!/^\}/m.test(out)) throw new Error('the server did not start')
  const { registry } = JSON.parse(out) as { registry: { url: string; hubUrl: string; adminFile: string } }
  const { name, password } = JSON.parse(await readFile(registry.adminFile, 'utf8')) as {
    name: string
    password: string
  }
  const login = { user: { name, is_admin: true }, secret: { password } }
  const token = await answer<string>(
    fetch(`${registry.url}/authenticate`, { method: 'PUT', body: JSON.stringify(login) }),
  )
  const key = await answer<{ token: string }>(
    fetch(`${registry.url}/user/${name}/keys`, { method: 'POST', body: '{}', headers: { authorization: token } }),
  )
  return {
    url: registry.url,
    variables: `  export HF_ENDPOINT=${registry.hubUrl} HF_TOKEN=${key.token}`,
    call: <T>(method: string, path: string, body?: unknown) =>
      answer<T>(
        fetch(`${registry.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${key.token}` },
          ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      ),
    read: (path: string) => fetch(`${registry.hubUrl}${path}`, { headers: { authorization: `Bearer ${key.token}` } }),
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function answer<T>(asked: Promise<Response>): Promise<T> {
  const response = await asked
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

async function tour(): Promise<void> {
  const { call } = server
  step('register a model, the model that it comes from, a rival, a data set and code, by their addresses')
  const add = async (type: string, url: string) =>
    (await call<{ metadata: Found }>('POST', `/artifact/${type}`, { url })).metadata
  const base = await add('model', `${hub.url}/harbour/tern-base`)
  const tern = await add('model', `${hub.url}/harbour/tern-small`)
  const rival = await add('model', `${hub.url}/skerry/gull-tiny`)
  await add('dataset', `${hub.url}/datasets/harbour/squalls`)
  await add('code', 'https://github.test/harbour/tern')
  for (const { type, name, id } of await call<Found[]>('POST', '/artifacts', [{ name: '*' }]))
    say(`${type.padEnd(8)} ${name.padEnd(14)} ${id}`)

  step('rate the models, with the reason for each number')
  const scores: string[] = []
  for (const { id, name } of [base, tern, rival]) {
    const { net_score: score } = await call<{ net_score: number }>('GET', `/artifact/model/${id}/rate`)
    scores.push(`${name} ${score.toFixed(2)}`)
  }
  say(scores.join(', '))
  const { explanation } = await call<{ explanation: string }>('GET', `/artifact/model/${tern.id}/rate?explain=true`)
  say(`${explanation.split('\n').slice(0, 18).join('\n')}\n  …`)

  step('upload a model folder that was made just now, as clients of the Hub do')
  const files = await makeModel()
  const repo = await upload(files)
  const back = Buffer.from(await (await server.read(`/${repo}/resolve/main/model.safetensors`)).arrayBuffer())
  if (sha256(back) !== sha256(files.get('model.safetensors') ?? Buffer.from('')))
    throw new Error('the download differs')
  say(`downloaded ${back.length} bytes again: SHA-256 ${sha256(back).slice(0, 16)}… is the same`)

  step('which model reads weather, is made from tern-base, and may be used for money?')
  const lineage = await lineageOf(base.id)
  for (const line of lineage) say(line)
  const query = new URLSearchParams({ q: 'classify weather reports at sea', license: 'Apache-2.0', type: 'model' })
  for (const { name, net_score: score, license } of await call<Found[]>('GET', `/search?${query.toString()}`))
    say(`found ${name.padEnd(14)} ${license} ${score === undefined ? 'not rated' : score.toFixed(2)}`)
  for (const { id, name } of [tern, rival]) {
    const project = { github_url: 'https://github.test/harbour/tern' }
    const allowed = await call<boolean>('POST', `/artifact/model/${id}/license-check`, project)
    say(`${name} in the project harbour/tern, which is under MIT: ${allowed ? 'allowed' : 'not allowed'}`)
  }

  step('who did what')
  for (const { user, action, date } of await call<{ user: { name: string }; action: string; date: string }[]>(
    'GET',
    `/artifact/model/${tern.id}/audit`,
  ))
    say(`${date} ${user.name} ${action}`)
}

async function lineageOf(id: string): Promise<string[]> {
  const { nodes, edges } = await server.call<{
    nodes: { artifact_id: string; name: string }[]
    edges: { from_node_artifact_id: string; to_node_artifact_id: string; relationship: string }[]
  }>('GET', `/artifact/model/${id}/lineage?direction=descendants`)
  const names = new Map(nodes.map((node) => [node.artifact_id, node.name]))
  return edges.map(
    ({ from_node_artifact_id: from, to_node_artifact_id: to, relationship }) =>
      `${names.get(from)} ── ${relationship} ─▶ ${names.get(to)}`,
  )
}

/** A model with one tensor of 4,096 numbers. */
async function makeModel(): Promise<Map<string, Buffer>> {
  const numbers = Buffer.from(Float32Array.from({ length: 4_096 }, (_, i) => Math.sin(i)).buffer)
  const tensors = JSON.stringify({ wind: { dtype: 'F32', shape: [64, 64], data_offsets: [0, numbers.length] } })
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(tensors.length))
  const files = new Map([
    ['README.md', Buffer.from(OWN_README)],
    ['config.json', Buffer.from('{"model_type": "bert"}\n')],
    ['requirements.txt', Buffer.from('transformers==5.24.0\n')],
    ['model.safetensors', Buffer.concat([size, Buffer.from(tensors), numbers])],
  ])
  const place = join(folder, 'tern-pocket')
  await mkdir(place)
  for (const [name, bytes] of files) await writeFile(join(place, name), bytes)
  say(`made ${place}: ${[...files.keys()].join(', ')}`)
  return files
}

async function upload(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const { name } = await server.call<{ name: string }>('POST', '/hub/api/repos/create', { name: 'tern-pocket' })
  const lines: unknown[] = [{ key: 'header', value: { summary: 'first version', description: '' } }]
  for (const [path, bytes] of files)
    lines.push({ key: 'file', value: { path, content: bytes.toString('base64'), encoding: 'base64' } })
  const body = lines.map((line) => JSON.stringify(line)).join('\n')
  const { commitUrl } = await server.call<{ commitUrl: string }>('POST', `/hub/api/models/${name}/commit/main`, body)
  say(`uploaded as ${name}: ${commitUrl.split('/').slice(-2).join(' ')}`)
  const [found] = await server.call<Found[]>('GET', `/artifact/byName/tern-pocket`)
  const { net_score: score } = await server.call<{ net_score: number }>('GET', `/artifact/model/${found?.id}/rate`)
  say(`rated from its files: ${score.toFixed(2)}`)
  return name
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
