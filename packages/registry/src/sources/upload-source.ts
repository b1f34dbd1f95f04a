/** Files that a user uploaded: everything is computed from their contents. */
import { unavailable } from 'siltstone/internal'
import type { SourceFile } from '../evidence/evidence.ts'
import { type Description, MAX_TEXT_BYTES, type Source } from './source.ts'

export interface UploadedFiles {
  /** Commit id of the upload. */
  revision: string | null
  files: readonly SourceFile[]
  /** The contents; undefined: there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
}

export class UploadSource implements Source {
  readonly label = 'upload'
  readonly #uploaded: UploadedFiles

  constructor(uploaded: UploadedFiles) {
    this.#uploaded = uploaded
  }

  describe(): Promise<Description> {
    const { revision, files } = this.#uploaded
    return Promise.resolve({ revision, files })
  }

  async read(path: string): Promise<string | undefined> {
    const file = this.#uploaded.files.find((each) => each.path === path)
    if (file === undefined) return undefined
    if ((file.sizeBytes ?? 0) > MAX_TEXT_BYTES) {
      throw unavailable(
        'source-too-large',
        `${path} has ${file.sizeBytes} bytes; at most ${MAX_TEXT_BYTES} are read as text`,
      )
    }
    const bytes = await this.#uploaded.read(path)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  history(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  reviews(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}
