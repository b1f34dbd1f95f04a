/** Text in pictures. A driver is what `ProcessContext.readText` calls. */
import type { PictureText, ProcessContext } from '../processor.ts'

export interface Ocr extends AsyncDisposable {
  /** With the languages: `tesseract/eng+deu`. */
  readonly name: string
  /**
   * @param image a PNG, JPEG, WebP or BMP file
   * @throws SiltstoneError `invalid` (corrupt-file) if it is none
   */
  readText(image: Uint8Array, signal: AbortSignal): Promise<PictureText>
  /** Ends its threads. Calls that run fail. */
  close(): Promise<void>
}

export const OCR_IS_OFF = 'reading text in pictures was not asked for: SILTSTONE_OCR=eng, or readText of the context'

/** Text that is hardly more than guessed is left out. */
const MIN_CONFIDENCE = 0.3
const MIN_LETTERS = 3

/** The paragraphs of a picture; none where there is no text to speak of. */
export async function paragraphsIn(image: Uint8Array, ctx: ProcessContext): Promise<string[]> {
  const read = await ctx.readText?.(image, ctx.signal)
  if (!read || read.confidence < MIN_CONFIDENCE) return []
  return read.text
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .replaceAll(/-\n(?=\p{Ll})/gu, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((paragraph) => (paragraph.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= MIN_LETTERS)
}
