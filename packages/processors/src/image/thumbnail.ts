/** Small pictures, by `sharp`, which is installed by who wants them. */
import { isMissing } from '../host/optional.ts'
import { parsing } from '../failures.ts'

export const THUMBNAIL_WIDTH = 320
export const NEEDS_SHARP = 'thumbnails need sharp: npm install sharp'

/** More pixels than this are not decoded. */
const MAX_PIXELS = 268_402_689

export interface Thumbnail {
  bytes: Uint8Array
  /** Of the picture, as it is shown. */
  width: number
  height: number
}

/** A WebP file of at most 320 points width, turned as EXIF says; undefined if sharp is not installed. */
export async function thumbnailOf(image: Uint8Array): Promise<Thumbnail | undefined> {
  const sharp = await loadSharp()
  if (!sharp) return undefined
  return parsing('the image', async () => {
    const picture = sharp(image, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
    const { width, height, orientation = 1 } = await picture.metadata()
    const small = picture
      .rotate()
      .resize({ width: THUMBNAIL_WIDTH, height: THUMBNAIL_WIDTH, fit: 'inside', withoutEnlargement: true })
    const bytes = new Uint8Array(await small.webp({ quality: 75 }).toBuffer())
    return orientation >= 5 ? { bytes, width: height, height: width } : { bytes, width, height }
  })
}

async function loadSharp(): Promise<typeof import('sharp')['default'] | undefined> {
  try {
    const { default: sharp } = await import('sharp')
    return sharp
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
