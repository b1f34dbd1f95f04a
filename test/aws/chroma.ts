/** The part of Chroma's HTTP API that the tests need. */
const ROOT = '/api/v2/tenants/default_tenant/databases/default_database/collections'

export class Chroma {
  readonly #url: string
  #id = ''

  constructor(url: string) {
    this.#url = url + ROOT
  }

  async collection(name: string): Promise<this> {
    const { id } = (await this.#call('', { name, get_or_create: true })) as { id: string }
    this.#id = id
    return this
  }

  async upsert(ids: readonly string[], embeddings: readonly number[][]): Promise<void> {
    await this.#call(`/${this.#id}/upsert`, { ids, embeddings, documents: ids.map((id) => `document ${id}`) })
  }

  async nearest(embedding: readonly number[], count: number): Promise<string[]> {
    const answer = await this.#call(`/${this.#id}/query`, { query_embeddings: [embedding], n_results: count })
    return (answer as { ids: string[][] }).ids[0] ?? []
  }

  async ids(): Promise<Set<string>> {
    const answer = await this.#call(`/${this.#id}/get`, { include: [], limit: 100_000 })
    return new Set((answer as { ids: string[] }).ids)
  }

  async #call(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(this.#url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }
}
