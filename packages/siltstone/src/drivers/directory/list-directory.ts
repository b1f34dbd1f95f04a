import { type BigIntStats, type Dirent, lstatSync, opendirSync, readdirSync, type Stats, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  continuationOf,
  keyIsAfter,
  type ListPosition,
  type ListRequest,
  someKeyMayBeAfter,
} from '../../ports/list-position.ts'
import { compareKeys, firstNotBefore, isUsableName, RESERVED_COMPONENTS } from '../../ports/object-key.ts'
import type { ListPage, ObjectInfo } from '../../ports/object-store.ts'
import { isMissing } from '../../host/file-errors.ts'
import type { NamesMemo } from './names-memo.ts'
import { symbolicLink } from './symbolic-link.ts'

/** Directories whose size in `stat` is larger are read in the thread pool, so as not to block the event loop. */
const MAX_SYNC_DIRECTORY_BYTES = 64 * 1024

/**
 * One page of `list`. Names are sorted as in keys, so a directory has its slash: `a-b` sorts before `a/b`. A directory
 * is entered only if a key below it can be on the page.
 */
export async function listDirectory(
  root: string,
  request: ListRequest,
  memo: NamesMemo | undefined,
): Promise<ListPage> {
  const page: ListPage = { objects: [], prefixes: [], continuation: undefined }
  const base = request.prefix.slice(0, request.prefix.lastIndexOf('/') + 1)
  await new Listing(root, request, page, memo).walk(base)
  return page
}

class Listing {
  readonly #root: string
  readonly #request: ListRequest
  readonly #page: ListPage
  readonly #memo: NamesMemo | undefined
  #last: ListPosition | undefined

  constructor(root: string, request: ListRequest, page: ListPage, memo: NamesMemo | undefined) {
    this.#root = root
    this.#request = request
    this.#page = page
    this.#memo = memo
  }

  /** Adds the keys below the directory `base`. False when the page is full. */
  async walk(base: string): Promise<boolean> {
    for (const name of await this.#names(base)) {
      const key = base + name
      if (!key.endsWith('/')) {
        if (!this.#addObject(key)) return false
      } else if (this.#request.delimited && key.length > this.#request.prefix.length) {
        if (hasKeyAfter(this.#root, key, this.#request.from) && !this.#addPrefix(key)) return false
      } else if (!(await this.walk(key))) {
        return false
      }
    }
    return true
  }

  /** The relevant names in a directory, in byte order, directories with a slash. */
  async #names(base: string): Promise<string[]> {
    const { prefix, from } = this.#request
    return notBefore(await this.#allNames(base), base, from).filter((name) => {
      const key = base + name
      const isDirectory = key.endsWith('/')
      const matches = key.startsWith(prefix) || (isDirectory && prefix.startsWith(key))
      return matches && (isDirectory ? someKeyMayBeAfter(key, from) : keyIsAfter(key, from))
    })
  }

  async #allNames(base: string): Promise<readonly string[]> {
    const path = join(this.#root, base)
    const stat = directoryIfThere(this.#root, base)
    if (stat === undefined) return []
    const known = this.#memo?.find(path, stat)
    if (known !== undefined && typeof known !== 'function') return known
    const names: string[] = []
    for (const entry of await readEntries(path, stat)) {
      const name = nameInKey(entry, this.#root, base)
      if (name !== undefined) names.push(name)
    }
    names.sort(compareKeys)
    known?.(names)
    return names
  }

  #addObject(key: string): boolean {
    if (this.#isFull()) return false
    const stat = statIfThere(join(this.#root, key))
    if (stat === undefined) return true
    const lastModifiedMs = Math.trunc(stat.mtimeMs)
    const info: ObjectInfo = { key, sizeBytes: stat.size, etag: undefined, lastModifiedMs }
    this.#page.objects.push(info)
    this.#last = { afterKey: key }
    return true
  }

  #addPrefix(prefix: string): boolean {
    if (this.#isFull()) return false
    this.#page.prefixes.push(prefix)
    this.#last = { afterPrefix: prefix }
    return true
  }

  #isFull(): boolean {
    const { objects, prefixes } = this.#page
    if (this.#last === undefined || objects.length + prefixes.length < this.#request.limit) return false
    this.#page.continuation = continuationOf(this.#last)
    return true
  }
}

/**
 * Leaves out names with which no wanted key can begin. A folded log has a thousand of them, and each strong read lists
 * the log.
 * @param names in byte order, directories with a slash
 */
function notBefore(names: readonly string[], base: string, from: ListPosition): readonly string[] {
  if (!('afterKey' in from) || !from.afterKey.startsWith(base)) return names
  const after = from.afterKey.slice(base.length)
  const start = firstNotBefore(names, after)
  // The directory of `after` sorts before it.
  const around = after.slice(0, after.indexOf('/') + 1)
  const place = around === '' ? start : firstNotBefore(names, around)
  return place < start && names[place] === around ? [around, ...names.slice(start)] : names.slice(start)
}

/** Whether a directory contains any object: an empty one, left by a crash or about to be used, is not a prefix. */
function hasKeyAfter(root: string, base: string, from: ListPosition): boolean {
  const directories: string[] = []
  const path = join(root, base)
  try {
    const directory = opendirSync(path)
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        const name = nameInKey(entry, root, base)
        if (name === undefined) continue
        if (name.endsWith('/')) directories.push(base + name)
        else if (keyIsAfter(base + name, from)) return true
      }
    } finally {
      directory.closeSync()
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return directories.some((below) => someKeyMayBeAfter(below, from) && hasKeyAfter(root, below, from))
}

/**
 * The form of a directory entry in keys; undefined for anything but an object of this store. A symbolic link is listed like
 * the object whose name it has, so that the read that refuses it names it; one to a directory is refused here.
 */
function nameInKey(entry: Dirent, root: string, base: string): string | undefined {
  const { name } = entry
  if (!isUsableName(name) || (base === '' && RESERVED_COMPONENTS.includes(name))) return undefined
  if (entry.isFile()) return name
  if (entry.isSymbolicLink()) {
    const path = join(root, base, name)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw symbolicLink(path)
    return name
  }
  return entry.isDirectory() ? `${name}/` : undefined
}

/** The folder of a log has no inbox most of the time, and making an error for that would take longer than the call. */
const QUIET = { bigint: true, throwIfNoEntry: false } as const

/** The root itself may be a symbolic link; a directory below it may not. */
function directoryIfThere(root: string, base: string): BigIntStats | undefined {
  try {
    for (let end = base.indexOf('/'); end >= 0 && end < base.length - 1; end = base.indexOf('/', end + 1)) {
      const above = join(root, base.slice(0, end))
      const stat = lstatSync(above, QUIET)
      if (stat === undefined) return undefined
      if (stat.isSymbolicLink()) throw symbolicLink(above)
    }
    const path = join(root, base)
    const stat = base === '' ? statSync(path, QUIET) : lstatSync(path.replace(/\/+$/, ''), QUIET)
    if (stat?.isSymbolicLink() === true) throw symbolicLink(path)
    return stat?.isDirectory() === true ? stat : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function readEntries(path: string, { size }: BigIntStats): Promise<Dirent[]> {
  try {
    return size <= MAX_SYNC_DIRECTORY_BYTES
      ? readdirSync(path, { withFileTypes: true })
      : await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
