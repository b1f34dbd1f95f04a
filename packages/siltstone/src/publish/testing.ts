import type { PublishTarget } from './publish-target.ts'

/** A folder in memory. `calls` are the names that were written and removed, in their order. */
export class MemoryTarget implements PublishTarget {
  readonly files = new Map<string, Uint8Array>()
  calls: string[] = []

  async list(folder: string): Promise<string[]> {
    return [...this.files.keys()].filter((name) => name.startsWith(folder) && !name.slice(folder.length).includes('/'))
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.files.get(name)
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.calls.push(`write ${name}`)
    this.files.set(name, bytes.slice())
  }

  async remove(name: string): Promise<void> {
    this.calls.push(`remove ${name}`)
    this.files.delete(name)
  }
}
