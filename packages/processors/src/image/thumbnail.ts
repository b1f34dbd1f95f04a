/** Small pictures, by `sharp`, which is installed by who wants them. */
import { isMissing } from '../host/optional.ts'
import { parsing } from '../failures.ts'

const THUMBNAIL_WIDTH = 320
export const NEEDS_SHARP = 'thumbnails need sharp: npm install sharp'

/** More pixels than this are not decoded. */
const MAX_PIXELS = 268_402_689

export interface Thumbnail {
  bytes: Uint8Array
  /** Of the picture, as it is shown. */
  width: number
  height: number
}

/** Types that every build of sharp decodes. */
const DECODED = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/tiff', 'image/avif'])

/**
 * A WebP file of at most 320 points width, turned as EXIF says; or the reason why there is none: sharp is not installed, or
 * does not decode this type (BMP, HEIC).
 */
export async function thumbnailOf(image: Uint8Array, type: string): Promise<Thumbnail | string> {
  const sharp = await loadSharp()
  if (!sharp) return NEEDS_SHARP
  if (!DECODED.has(type)) return `thumbnails of ${type} are not supported`
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

/** Types that a reader of text takes as they are. */
const READ_AS_IS = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/bmp'])
const MAX_READ_POINTS = 4_000

/** The picture for a reader of text: turned as EXIF says, not too large; or the reason why there is none. */
export async function pictureToRead(image: Uint8Array, type: string): Promise<Uint8Array | string> {
  const sharp = await loadSharp()
  if (!sharp || !DECODED.has(type))
    return READ_AS_IS.has(type)
      ? image
      : `text in ${type} is ${sharp ? 'not supported' : 'read with sharp: npm install sharp'}`
  const bound = { width: MAX_READ_POINTS, height: MAX_READ_POINTS, fit: 'inside', withoutEnlargement: true } as const
  return parsing('the image', () =>
    sharp(image, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .rotate()
      .flatten({ background: 'white' })
      .resize(bound)
      .greyscale()
      .png({ compressionLevel: 1 })
      .toBuffer(),
  )
}

export async function loadSharp(): Promise<typeof import('sharp')['default'] | undefined> {
  try {
    const { default: sharp } = await import('sharp')
    return sharp
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
