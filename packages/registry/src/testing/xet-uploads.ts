/** Uploads by Xet to a served registry, for tests. */
import type { Answer, ServedRegistry } from './served-registry.ts'
import { type SentFile, type SentXorb, shardOf } from './xet-client.ts'

const PASSWORD = 'a long password'

export class XetUploads {
  readonly #world: ServedRegistry

  constructor(world: ServedRegistry) {
    this.#world = world
  }

  /** @returns a token of the user's */
  async user(name: string): Promise<string> {
    const body = { user: { name, is_admin: false }, secret: { password: PASSWORD } }
    await this.#world.call('POST', '/register', { token: await this.#world.logIn(), body })
    return this.#world.logIn(name, PASSWORD)
  }

  async createRepository(token: string, name: string, isPrivate = false): Promise<void> {
    const body = { name, private: isPrivate }
    const made = await this.#world.call('POST', '/hub/api/repos/create', { token, body })
    if (made.status !== 200) throw new Error(made.text)
  }

  /** A token of Xet's. */
  async access(token: string, repository: string): Promise<string> {
    const { body } = await this.#world.call('GET', `/hub/api/models/${repository}/xet-write-token/main`, { token })
    return (body as { accessToken: string }).accessToken
  }

  post(path: string, body: Uint8Array, access: string): Promise<Answer> {
    return this.#world.call('POST', `/hub/xet/v1/${path}`, { body, headers: { authorization: `Bearer ${access}` } })
  }

  xorb({ hash, body }: SentXorb, access: string): Promise<Answer> {
    return this.post(`xorbs/default/${hash}`, body, access)
  }

  shard(files: readonly SentFile[], access: string): Promise<Answer> {
    return this.post('shards', shardOf(files), access)
  }

  commit(token: string, repository: string, { sha256, contents }: SentFile, path = 'big.bin'): Promise<Answer> {
    const lines = [
      { key: 'header', value: { summary: 'x' } },
      { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256, size: contents.length } },
    ]
    const body = lines.map((line) => JSON.stringify(line)).join('\n')
    return this.#world.call('POST', `/hub/api/models/${repository}/commit/main`, { token, body })
  }
}
