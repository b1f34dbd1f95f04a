/** The folder that a collection is published into. Names are paths with `/`. */
export interface PublishTarget {
  /** Names of all files, below `folder` only. */
  list(folder: string): Promise<string[]>
  /** undefined: there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Replaces a file as a whole. */
  write(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}
