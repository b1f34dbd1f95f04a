/** A file of subtitles that stands alone: SubRip or WebVTT. */
import { readAll } from '../access.ts'
import { contentType } from '../detect/content-type.ts'
import { decodeText, sniffText } from '../detect/text-encoding.ts'
import { unsupportedType } from '../failures.ts'
import type { Processor, RandomAccess, TranscriptSegment } from '../processor.ts'
import { Steps } from '../steps.ts'
import { parseCues, timedPassages, timeFields } from './subtitle-cues.ts'

const MAX_BYTES = 16 * 1024 * 1024
const TYPES = new Set(['text/vtt', 'application/x-subrip'])

export const subtitleProcessor: Processor = {
  name: 'subtitles',
  version: '1',
  accepts: (type, head) => (TYPES.has(contentType(head, type)) ? 0.9 : 0),
  async process(source, ctx) {
    const steps = new Steps(ctx)
    await steps.run('subtitles', async (recorder) => {
      for (const passage of timedPassages(await readCues(source)))
        await recorder.add('subtitle', passage.text, timeFields(passage))
    })
    return { contentType: contentType(await source.read(0, 4_096)), steps: steps.summaries }
  },
}

export async function readCues(source: RandomAccess): Promise<TranscriptSegment[]> {
  const bytes = await readAll(source, 'the file of subtitles', MAX_BYTES)
  const sniffed = sniffText(bytes, true)
  if (!sniffed) throw unsupportedType('the file of subtitles holds bytes that are not text')
  return parseCues(decodeText(bytes, sniffed))
}
