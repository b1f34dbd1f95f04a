/** Errors of reading a source. Their remedies are about the source: `siltstone verify` knows nothing of it. */
import { isSiltstoneError, SiltstoneError } from 'siltstone/internal'

/** A copy of the error with the code `source-damaged` if it says that something is damaged; otherwise the error itself. */
export function sourceError(error: unknown): unknown {
  if (!isSiltstoneError(error, 'corrupt')) return error
  return new SiltstoneError('corrupt', 'source-damaged', error.message, { cause: error })
}

export async function fromSource<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw sourceError(error)
  }
}
