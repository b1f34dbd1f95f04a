/** Artifacts for the registry of a server: two models of a hub that this file plays, one made from the other. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

const SHA = 'a'.repeat(40)
const README = `---
license: apache-2.0
base_model: harbour/tern-base
---
# Tern small

Names birds. <script>window.hacked = 5</script>
`

function modelOf(id: string, base?: string) {
  return {
    id,
    sha: SHA,
    pipeline_tag: 'text-classification',
    tags: ['license:apache-2.0', ...(base === undefined ? [] : [`base_model:${base}`])],
    cardData: { license: 'apache-2.0', ...(base !== undefined && { base_model: base }) },
    siblings: [
      { rfilename: 'README.md', size: 100 },
      { rfilename: 'model.safetensors', size: 1_000_000 },
    ],
  }
}

const ANSWERS = new Map<string, unknown>([
  ['/api/models/harbour/tern-base/revision/main', modelOf('harbour/tern-base')],
  ['/api/models/harbour/tern-small/revision/main', modelOf('harbour/tern-small', 'harbour/tern-base')],
  [`/harbour/tern-small/resolve/${SHA}/README.md`, README],
  [`/harbour/tern-base/resolve/${SHA}/README.md`, '---\nlicense: apache-2.0\n---\n# Tern base\n'],
])

export interface Hub {
  url: string
  close(): void
}

export async function openHub(): Promise<Hub> {
  const server = createServer(({ url = '' }, response) => {
    const body = ANSWERS.get(url.split('?')[0] ?? '')
    response.writeHead(body === undefined ? 404 : 200)
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Registers the models, and waits until the second is rated. */
export async function fillRegistry(registry: { url: string; adminFile: string }, hub: Hub): Promise<void> {
  const { name, password } = JSON.parse(await readFile(registry.adminFile, 'utf8')) as {
    name: string
    password: string
  }
  const ask = async (method: string, path: string, body: unknown, token = '') => {
    const headers = { 'content-type': 'application/json', ...(token !== '' && { 'x-authorization': token }) }
    const answer = await fetch(registry.url + path, { method, headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const token = (await ask('PUT', '/authenticate', { user: { name, is_admin: true }, secret: { password } })) as string
  for (const model of ['tern-base', 'tern-small'])
    await ask('POST', '/artifact/model', { url: `${hub.url}/harbour/${model}`, name: model }, token)
}

export async function untilRated(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/siltstone/v1/artifacts`)
    const { artifacts } = (await answer.json()) as { artifacts: { netScore: number | null }[] }
    if (artifacts.length === 2 && artifacts.every(({ netScore }) => netScore !== null)) return
    await setTimeout(100)
  }
}
