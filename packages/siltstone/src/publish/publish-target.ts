/** The folder that a collection is published into. Names are paths with `/`. */
export interface PublishTarget {
  /** Names of the files in a folder, not of those in folders in it. @param folder ends with `/`, or is empty */
  list(folder: string): Promise<string[]>
  /** undefined: there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Replaces a file as a whole. */
  write(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}
