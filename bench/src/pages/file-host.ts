/** A folder that the reader of pages searches in this process, with what it fetches counted: bytes, requests and rounds. */
import { open as openFile, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Fetch, FetchObjectStore, HybridSearch, type HybridHit, PublishedSource } from 'siltstone/page-reading'

export const ORIGIN = 'http://127.0.0.1'
const GAP_BYTES = 256
const CACHE_BYTES = 32 * 1024 * 1024

export interface Fetched {
  bytes: number
  requests: number
  /** Of requests that depend on the answers of those before. */
  rounds: number
  /** Bytes by file, with the part of its name that is a hash. */
  byFile: Map<string, number>
}

export interface FileHost {
  /** As a search box does it. */
  search(text: string, limit: number): Promise<HybridHit[]>
  /** For other readers of the folder, at `ORIGIN`. */
  fetch: Fetch
  /** Since the last call. */
  take(): Fetched
}

/** Answers of a round are given together, when nothing else was asked for this long: what is asked then depends on them. */
const QUIET_MS = 10

export async function startFileHost(folder: string, quietMs = QUIET_MS): Promise<FileHost> {
  let taken = fetched()
  let waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const roundEnds = () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve)
      clearTimeout(timer)
      timer = setTimeout(() => {
        taken.rounds++
        const released = waiting
        waiting = []
        for (const release of released) release()
      }, quietMs)
    })
  const counted: Fetch = async (url, { headers }) => {
    const name = new URL(url).pathname.slice(1)
    const { status, body, range } = await read(join(folder, name), headers['Range'])
    taken.bytes += body.length
    taken.requests++
    taken.byFile.set(name, (taken.byFile.get(name) ?? 0) + body.length)
    await roundEnds()
    return {
      status,
      headers: { get: (header) => (header.toLowerCase() === 'content-range' ? range : null) },
      body: null,
      arrayBuffer: async () => body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer,
    }
  }
  const store = new FetchObjectStore(ORIGIN, { gapBytes: GAP_BYTES, fetch: counted })
  const source = await PublishedSource.open(store, { cacheBytes: CACHE_BYTES })
  const search = new HybridSearch(source)
  await Promise.all([source.prepare(), search.prepare()])
  return {
    search: (text, limit) => search.search(text, limit),
    fetch: counted,
    take: () => {
      const before = taken
      taken = fetched()
      return before
    },
  }
}

const fetched = (): Fetched => ({ bytes: 0, requests: 0, rounds: 0, byFile: new Map() })

async function read(path: string, range: string | undefined) {
  const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (!asked) return { status: 200, body: await readFile(path), range: null }
  const { size } = await stat(path)
  const start = Number(asked[1])
  const length = Math.min(Number(asked[2]) + 1, size) - start
  const file = await openFile(path)
  try {
    const body = Buffer.alloc(length)
    await file.read(body, 0, length, start)
    return { status: 206, body, range: `bytes ${start}-${start + length - 1}/${size}` }
  } finally {
    await file.close()
  }
}
