/**
 * A published folder for times without a network, kept in the browser's `caches`.
 *
 * A *copy* is a cache with all files of one publication. It is named by the checksum of its `search.json`, which is put last: a
 * cache without it is not finished, and nothing is read from it. Each file is checked against its checksum on the way. So an
 * answer comes from one publication, whatever broke off:
 *
 * | when | what happens |
 * |---|---|
 * | the tab is closed while a copy is made, or a file cannot be fetched | the copy is not used, and continued next time; an older one still is |
 * | the folder is published again while a copy is made | files are missing, or do not match: as above |
 * | a newer copy is finished | older ones are deleted |
 * | the network is there | `search.json` comes from it; files that the finished copy has too come from the copy |
 * | the network is not there | `search.json` and all else come from the finished copy; without one, the error is the network's |
 */
import type { Fetch, FetchAnswer } from 'siltstone/page-reading'
import type { folderFormat } from './page-search.ts'

/** The part of `caches` that is used. */
export interface Caches {
  keys(): Promise<string[]>
  open(name: string): Promise<Pick<Cache, 'match' | 'put'>>
  delete(name: string): Promise<boolean>
}

export interface OfflineOptions {
  /** Passed in, so that bundlers keep one copy of it. */
  format: typeof folderFormat
  fetch?: Fetch
  /** Default: the global ones. Browsers have them on pages served over HTTPS, and on localhost. */
  caches?: Caches
}

const NAME = 'siltstone '
const DESCRIPTION = 'search.json'

export class OfflineFolder {
  readonly #folder: string
  readonly #format: typeof folderFormat
  readonly #fetch: Fetch
  readonly #caches: Caches
  /** The finished copy; undefined: not looked for yet. */
  #copy: Promise<Pick<Cache, 'match'> | null> | undefined

  /** @param folder address, with a slash at its end */
  constructor(folder: string, options: OfflineOptions) {
    this.#format = options.format
    this.#folder = folder
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init))
    this.#caches = options.caches ?? globalThis.caches
  }

  /** For a reader: asks the network, and the copy. */
  readonly fetch: Fetch = async (url, init) => {
    const isDescription = url === this.#folder + DESCRIPTION
    if (!isDescription) {
      const kept = await this.#kept(url)
      if (kept) return partOf(kept, init.headers['Range'])
    }
    try {
      return await this.#fetch(url, init)
    } catch (error) {
      const kept = isDescription ? await this.#kept(url) : undefined
      if (kept) return kept
      throw error
    }
  }

  /**
   * Makes a copy of the current publication, unless there is one.
   * @returns whether one was made
   * @throws the network's errors, `Error` for a file that is not as `search.json` says, and those of `caches`, such as a
   *   QuotaExceededError; what was kept before is still kept
   */
  async keep(): Promise<boolean> {
    const description = await this.#get(DESCRIPTION)
    const name = this.#nameOf(description)
    const cache = await this.#caches.open(name)
    const isFinished = (await cache.match(this.#folder + DESCRIPTION)) !== undefined
    if (!isFinished) {
      await this.#fill(cache, description)
      await cache.put(this.#folder + DESCRIPTION, new Response(description as Uint8Array<ArrayBuffer>))
    }
    this.#copy = Promise.resolve(cache)
    for (const other of await this.#names()) if (other !== name) await this.#caches.delete(other)
    return !isFinished
  }

  /** One file after another: a copy is made in the background. */
  async #fill(cache: Pick<Cache, 'match' | 'put'>, description: Uint8Array): Promise<void> {
    const { decodePublished, filesOf, partKey, crc32 } = this.#format
    const published = decodePublished(description)
    for (const { key, sizeBytes, crc32: expected } of filesOf(published)) {
      const partBytes = published.partBytes[key] as number
      let crc = 0
      let size = 0
      for (let part = 0; part * partBytes < sizeBytes; part++) {
        const path = partKey(key, part)
        const kept = (await cache.match(this.#folder + path)) ?? (await this.#kept(this.#folder + path))
        const bytes = kept ? new Uint8Array(await kept.arrayBuffer()) : await this.#get(path)
        crc = crc32(bytes, crc)
        size += bytes.length
        await cache.put(this.#folder + path, new Response(bytes as Uint8Array<ArrayBuffer>))
      }
      if (size === sizeBytes && crc === Number.parseInt(expected, 16)) continue
      // Which part is wrong is not known.
      await this.#caches.delete(this.#nameOf(description))
      throw new Error(`${this.#folder}${key} is not as ${DESCRIPTION} says`)
    }
  }

  async #get(path: string): Promise<Uint8Array> {
    const url = this.#folder + path
    const answer = await this.#fetch(url, { headers: {}, cache: path === DESCRIPTION ? 'no-cache' : 'default' })
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
    return new Uint8Array(await answer.arrayBuffer())
  }

  async #kept(url: string): Promise<Response | undefined> {
    this.#copy ??= this.#finished()
    const copy = await this.#copy
    return copy?.match(url)
  }

  /** Of several, any: what a copy lacks is asked of the network. */
  async #finished(): Promise<Pick<Cache, 'match'> | null> {
    for (const name of await this.#names()) {
      const cache = await this.#caches.open(name)
      if (await cache.match(this.#folder + DESCRIPTION)) return cache
    }
    return null
  }

  async #names(): Promise<string[]> {
    const names = await this.#caches.keys()
    return names.filter((name) => name.startsWith(`${NAME}${this.#folder} `))
  }

  #nameOf(description: Uint8Array): string {
    return `${NAME}${this.#folder} ${this.#format.crc32(description).toString(16)}`
  }
}

/** @param range `bytes=a-b` */
async function partOf(kept: Response, range: string | undefined): Promise<FetchAnswer> {
  const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (!asked) return kept
  const whole = await kept.arrayBuffer()
  const start = Number(asked[1])
  const part = whole.slice(start, Number(asked[2]) + 1)
  const stated = `bytes ${start}-${start + part.byteLength - 1}/${whole.byteLength}`
  return {
    status: 206,
    headers: { get: (name) => (name.toLowerCase() === 'content-range' ? stated : null) },
    body: null,
    arrayBuffer: async () => part,
  }
}
