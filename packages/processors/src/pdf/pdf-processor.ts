/** PDF: passages with their page, heading and box. */
import { bufferedAccess } from '../access.ts'
import { addBlocks, type Block } from '../blocks.ts'
import { contentType } from '../detect/content-type.ts'
import { invalid } from 'siltstone/passages'
import { pngOf } from '../image/png.ts'
import { OCR_IS_OFF, paragraphsIn } from '../ocr/ocr.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, Summary } from '../processor.ts'
import { Steps } from '../steps.ts'
import { openPdf } from './pdf-document.ts'
import { blocksOfPages, fieldLines, type Line, linesOf } from './pdf-layout.ts'

const MAX_PAGES = 10_000
/** A page with fewer letters is probably a picture of a page. */
const MIN_LETTERS = 20
/** Of one page, the largest ones. */
const MAX_PICTURES = 3

export const pdfProcessor: Processor = {
  name: 'pdf',
  version: '2',
  accepts: (_type, head) => (contentType(head) === 'application/pdf' ? 0.95 : 0),
  process: processPdf,
}

async function processPdf(source: RandomAccess, ctx: ProcessContext): Promise<Summary> {
  const steps = new Steps(ctx)
  const metadata: FlatMetadata = {}
  const pagesWithoutText: number[] = []
  await steps.run('text', async (recorder) => {
    await using document = await openPdf(bufferedAccess(source))
    if (document.pages > MAX_PAGES)
      throw invalid('file-too-large', `the PDF has ${document.pages} pages; at most ${MAX_PAGES} are read`)
    Object.assign(metadata, document.metadata, { pages: document.pages })
    const pages: Line[][] = []
    for (let page = 1; page <= document.pages; page++) {
      await recorder.alive()
      const lines = [...linesOf(page, await document.items(page)), ...fieldLines(page, await document.fields(page))]
      if (lettersOf(lines) < MIN_LETTERS) pagesWithoutText.push(page)
      pages.push(lines)
    }
    await addBlocks(recorder, blocksOfPages(pages, await document.outline()))
  })
  if (pagesWithoutText.length > 0 && ctx.readText) await readPictures(source, pagesWithoutText, ctx, steps)
  else if (pagesWithoutText.length > 0)
    steps.skip('ocr', `${pagesWithoutText.length} of ${metadata['pages']} pages have hardly any text; ${OCR_IS_OFF}`)
  return { contentType: 'application/pdf', steps: steps.summaries, metadata }
}

/** Scanned pages: each is a picture, or a few. */
async function readPictures(
  source: RandomAccess,
  pages: readonly number[],
  ctx: ProcessContext,
  steps: Steps,
): Promise<void> {
  await steps.run('ocr', async (recorder) => {
    await using document = await openPdf(bufferedAccess(source))
    for (const page of pages) {
      const blocks: Block[] = []
      for (const picture of (await document.pictures(page)).slice(0, MAX_PICTURES)) {
        await recorder.alive(page)
        for (const text of await paragraphsIn(pngOf(picture), ctx)) blocks.push({ text, place: { page } })
      }
      await addBlocks(recorder, blocks)
    }
  })
}

const lettersOf = (lines: readonly Line[]) =>
  lines.reduce((sum, { text }) => sum + (text.match(/\p{L}/gu)?.length ?? 0), 0)
