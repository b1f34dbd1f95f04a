import { ContentEtag } from '../../host/content-etag.ts'
import type { PutResult, Upload } from '../../ports/object-store.ts'
import { uploadEnded } from '../../ports/upload-ended.ts'
import type { FinishedFile } from './publish.ts'
import type { TempFile } from './temp-files.ts'

export interface UploadSteps {
  /** Gives the finished file its name. */
  publish(file: FinishedFile): Promise<PutResult>
  /** Removes the temporary file. It never throws, since no result depends on it. */
  drop(path: string): Promise<void>
  /** The public error for a failed write. */
  failure(error: unknown): Error
}

/** An object written in parts into a temporary file, which is removed at the first failure. */
export class DirectoryUpload implements Upload {
  readonly #steps: UploadSteps
  readonly #etag = new ContentEtag()
  #file: TempFile | undefined

  constructor(file: TempFile, steps: UploadSteps) {
    this.#file = file
    this.#steps = steps
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw uploadEnded()
    try {
      this.#etag.update(chunk)
      // Continues at the current position until all bytes are written.
      await this.#file.handle.writeFile(chunk)
    } catch (error) {
      await this.abort()
      throw this.#steps.failure(error)
    }
  }

  async complete(): Promise<PutResult> {
    const file = this.#file
    if (file === undefined) throw uploadEnded()
    this.#file = undefined
    try {
      return await this.#steps.publish(await finish(file, this.#etag.digest()))
    } catch (error) {
      throw this.#steps.failure(error)
    } finally {
      await this.#steps.drop(file.path)
    }
  }

  async abort(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    try {
      await file.handle.close()
    } finally {
      await this.#steps.drop(file.path)
    }
  }
}

/** Syncs the content and closes the file. */
export async function finish({ handle, path }: TempFile, etag: string): Promise<FinishedFile> {
  try {
    await handle.datasync()
    return { path, etag, stat: await handle.stat({ bigint: true }) }
  } finally {
    await handle.close()
  }
}

/** Writes the whole content of a file, and closes the file if that fails. */
export async function writeAll({ handle }: TempFile, body: Uint8Array): Promise<void> {
  try {
    await handle.writeFile(body)
  } catch (error) {
    await handle.close()
    throw error
  }
}
