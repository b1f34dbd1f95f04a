/**
 * The permanent failures of processing: the object is at fault, or something is not installed.
 *
 * | code               | kind        | meaning                                                    |
 * |--------------------|-------------|------------------------------------------------------------|
 * | `encrypted`        | invalid     | a password is needed                                       |
 * | `corrupt-file`     | invalid     | the content breaks the rules of its format                 |
 * | `archive-too-large`| invalid     | an archive that grows beyond the limits when it is read     |
 * | `file-too-large`   | invalid     | more than a processor of this kind reads                   |
 * | `unsupported-type` | unsupported | no processor for this kind of content                      |
 * | `needs-ffmpeg`     | unsupported | only ffmpeg reads this container, and none was found       |
 * | `memory-limit`     | invalid     | the process needed more memory than it may use              |
 */
import { invalid, isSiltstoneError, SiltstoneError, unsupported } from 'siltstone/passages'

export const encrypted = (what: string, cause?: unknown): SiltstoneError =>
  invalid('encrypted', `${what} is encrypted; store a copy without a password`, { cause })

export const corruptFile = (what: string, cause?: unknown): SiltstoneError => invalid('corrupt-file', what, { cause })

export const archiveTooLarge = (what: string): SiltstoneError => invalid('archive-too-large', what)

export function checkSize(what: string, sizeBytes: number, limitBytes: number): void {
  if (sizeBytes > limitBytes)
    throw invalid('file-too-large', `${what} has ${sizeBytes} bytes; at most ${limitBytes} are read`)
}

export const unsupportedType = (what: string): SiltstoneError => unsupported('unsupported-type', what)

/** Whether processing the same object again cannot help. */
export const isPermanent = (error: unknown): boolean =>
  isSiltstoneError(error, 'invalid') || isSiltstoneError(error, 'unsupported')

/**
 * Runs a parser; what it throws about the content becomes `corrupt-file`. Errors of our own pass, and so does whatever went
 * wrong when `source` was read.
 */
export async function parsing<T>(
  what: string,
  parse: () => T | Promise<T>,
  source?: { readonly failure: { error: unknown } | undefined },
): Promise<T> {
  try {
    return await parse()
  } catch (error) {
    if (source?.failure) throw source.failure.error
    if (error instanceof SiltstoneError || (error instanceof Error && error.name === 'AbortError')) throw error
    throw corruptFile(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}
