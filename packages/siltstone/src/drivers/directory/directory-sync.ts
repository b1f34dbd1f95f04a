import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from '../../host/file-errors.ts'
import { makeDirectories } from '../../host/make-directories.ts'

const MAX_KNOWN_DIRECTORIES = 10_000

/**
 * Makes directories durable. Calls for one directory that arrive while a sync of it runs share the next one, which
 * begins after they arrived and so covers them all.
 *
 * A directory survives a crash only if its own name in its parent does, and so on up to the root. Another process may
 * have created it without having synced that name yet, so the parents are synced too, unless this process has done so
 * for this very directory. It is identified by inode and time of creation, since a directory that was pruned and
 * created again may get the inode of the old one.
 */
export class DirectorySync {
  readonly #root: string
  readonly #running = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>()
  /** The identities of the directories whose names are durable up to the root. */
  readonly #known = new Map<string, string>()

  constructor(root: string) {
    this.#root = root
  }

  /** Resolves when each name in `directory` that existed at the call is durable. A missing directory needs no sync. */
  sync(directory: string): Promise<void> {
    const state = this.#running.get(directory)
    if (state === undefined) return this.#start(directory)
    if (state.next === undefined) {
      const begin = () => this.#start(directory)
      state.next = state.current.then(begin, begin)
    }
    return state.next
  }

  #start(directory: string): Promise<void> {
    const state: { current: Promise<void>; next: Promise<void> | undefined } = {
      current: this.#sync(directory).finally(() => {
        if (state.next === undefined) this.#running.delete(directory)
      }),
      next: undefined,
    }
    this.#running.set(directory, state)
    return state.current
  }

  async #sync(directory: string): Promise<void> {
    const identity = await syncOne(directory)
    if (identity === undefined || directory === this.#root || this.#known.get(directory) === identity.text) return
    await this.sync(dirname(directory))
    if (!identity.isCertain) return
    if (this.#known.size >= MAX_KNOWN_DIRECTORIES) this.#known.clear()
    this.#known.set(directory, identity.text)
  }
}

/** Creates the root and the directories above it if they are missing, and makes their names durable. */
export async function makeRoot(root: string): Promise<void> {
  const firstMade = await makeDirectories(root)
  if (firstMade === undefined) return
  const last = dirname(firstMade)
  for (let directory = dirname(root); ; directory = dirname(directory)) {
    await syncOne(directory)
    if (directory === last || directory === dirname(directory)) return
  }
}

async function syncOne(directory: string): Promise<{ text: string; isCertain: boolean } | undefined> {
  try {
    const handle = await open(directory, 'r')
    try {
      const { dev, ino, birthtimeNs } = await handle.stat({ bigint: true })
      await handle.sync()
      return { text: `${dev}:${ino}:${birthtimeNs}`, isCertain: birthtimeNs > 0n }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
