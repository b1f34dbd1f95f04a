/** Images: one record with size, camera and place, a thumbnail, and a vector if the caller embeds images. */
import { addBlocks } from '../blocks.ts'
import { checkSize } from '../failures.ts'
import { contentType } from '../detect/content-type.ts'
import { OCR_IS_OFF, paragraphsIn } from '../ocr/ocr.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, Summary } from '../processor.ts'
import { Steps } from '../steps.ts'
import { HEADER_BYTES, imageHeader } from './image-header.ts'
import { pictureToRead, thumbnailOf } from './thumbnail.ts'

const MAX_BYTES = 256 * 1024 * 1024

export const imageProcessor: Processor = {
  name: 'image',
  version: '1',
  accepts: (_type, head) => (contentType(head).startsWith('image/') ? 0.9 : 0),
  process: processImage,
}

async function processImage(source: RandomAccess, ctx: ProcessContext): Promise<Summary> {
  checkSize('the image', source.sizeBytes, MAX_BYTES)
  const steps = new Steps(ctx)
  const head = await source.read(0, HEADER_BYTES)
  const type = contentType(head)
  const { width, height, exif } = imageHeader(head, type)
  const metadata: FlatMetadata = { ...exif, ...(width && height ? { width, height } : {}) }
  const image = head.length === source.sizeBytes ? head : await source.read(0, source.sizeBytes)

  const made = await thumbnailOf(image, type)
  const thumbnail = typeof made === 'string' ? undefined : made
  if (typeof made === 'string') steps.skip('thumbnail', made)
  else
    await steps.run('thumbnail', async () => {
      const key = await ctx.putDerived('thumbnail.webp', made.bytes, 'image/webp')
      Object.assign(metadata, { width: made.width, height: made.height, thumbnail_key: key })
    })
  await steps.run('container', async (recorder) => {
    const document = describe(type, metadata, ctx.name)
    const [vector] = ctx.embedImage ? await ctx.embedImage([thumbnail?.bytes ?? image]) : []
    if (vector) await recorder.addEmbedded('container', document, metadata, vector)
    else await recorder.add('container', document, metadata)
  })
  await readTextIn(image, type, ctx, steps)
  return { contentType: type, steps: steps.summaries, metadata }
}

async function readTextIn(image: Uint8Array, type: string, ctx: ProcessContext, steps: Steps): Promise<void> {
  const picture = ctx.readText ? await pictureToRead(image, type) : OCR_IS_OFF
  if (typeof picture === 'string') steps.skip('ocr', picture)
  else
    await steps.run('ocr', async (recorder) => {
      const paragraphs = await paragraphsIn(picture, ctx)
      await addBlocks(
        recorder,
        paragraphs.map((text) => ({ text })),
      )
    })
}

/** A sentence that can be searched: what the picture says of itself, and the words of its name. */
function describe(type: string, metadata: FlatMetadata, name = ''): string {
  const { description, artist, make, model, taken_at: takenAt, width, height } = metadata
  const words = name
    .replace(/^.*[/\\]/, '')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[-_.]+/g, ' ')
  const size = width === undefined ? '' : ` of ${width} × ${height}`
  return [
    description,
    words,
    `${type.slice('image/'.length).toUpperCase()} image${size}`,
    artist && `by ${artist}`,
    (make ?? model) && `camera ${[make, model].filter((part) => part !== undefined).join(' ')}`,
    takenAt && `taken ${takenAt}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ')
}
