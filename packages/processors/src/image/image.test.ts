import { crc32, deflateSync } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { collect } from '../testing/context.ts'
import { imageHeader } from './image-header.ts'
import { imageProcessor } from './image-processor.ts'

const make = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 90, g: 120, b: 160 } } })
const exif = {
  IFD0: { ImageDescription: 'The Elbe in March', Make: 'Acme', Model: 'One', Artist: 'Ada' },
  IFD2: { DateTimeOriginal: '2024:03:01 10:00:00' },
  IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '53/1 30/1 0/1', GPSLongitudeRef: 'W', GPSLongitude: '9/1 15/1 0/1' },
}

describe('images', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const)('%s give size and thumbnail', async (format) => {
    const bytes = new Uint8Array(await make(640, 400).toFormat(format).toBuffer())
    const { records, derived, summary } = await collect(imageProcessor, bytes, { name: 'trips/elbe_in-march.bin' })
    expect(summary).toMatchObject({ contentType: `image/${format}`, metadata: { width: 640, height: 400 } })
    expect(records).toMatchObject([
      {
        kind: 'container',
        document: expect.stringContaining('elbe in march'),
        metadata: { thumbnail_key: 'derived/thumbnail.webp' },
      },
    ])
    const thumbnail = await sharp(derived.get('thumbnail.webp')).metadata()
    expect([thumbnail.format, thumbnail.width, thumbnail.height]).toEqual(['webp', 320, 200])
    if (format !== 'tiff') expect(imageHeader(bytes, `image/${format}`)).toMatchObject({ width: 640, height: 400 })
  })

  it.each(['jpeg', 'png', 'webp'] as const)('%s give the fields of EXIF', async (format) => {
    const bytes = new Uint8Array(await make(64, 40).withExif(exif).toFormat(format).toBuffer())
    const { records } = await collect(imageProcessor, bytes)
    expect(records[0]?.metadata).toMatchObject({
      description: 'The Elbe in March',
      make: 'Acme',
      model: 'One',
      artist: 'Ada',
      taken_at: '2024-03-01T10:00:00',
      latitude: 53.5,
      longitude: -9.25,
    })
    expect(records[0]?.document).toMatch(/^The Elbe in March; .*by Ada; camera Acme One; taken 2024/)
  })

  it('are turned as EXIF says', async () => {
    const bytes = new Uint8Array(await make(640, 400).withMetadata({ orientation: 6 }).jpeg().toBuffer())
    const { records, derived } = await collect(imageProcessor, bytes)
    expect(records[0]?.metadata).toMatchObject({ width: 400, height: 640, orientation: 6 })
    expect((await sharp(derived.get('thumbnail.webp')).metadata()).width).toBe(200)
  })

  it('have a vector of their own where images are embedded', async () => {
    const bytes = new Uint8Array(await make(64, 40).png().toBuffer())
    const embedImage = async (images: readonly Uint8Array[]) => images.map(() => Float32Array.of(1, 2, 3))
    const { records } = await collect(imageProcessor, bytes, { embedImage })
    expect(records[0]?.embedding).toEqual(Float32Array.of(1, 2, 3))
  })

  it('of a kind that sharp does not decode have no thumbnail', async () => {
    const bitmap = new Uint8Array(54 + 4)
    const view = new DataView(bitmap.buffer)
    bitmap.set([0x42, 0x4d])
    view.setUint32(14, 40, true)
    view.setInt32(18, 1, true)
    view.setInt32(22, -1, true)
    const { records, summary } = await collect(imageProcessor, bitmap)
    expect(records[0]?.metadata).toEqual({ width: 1, height: 1 })
    expect(summary.steps['thumbnail']).toMatchObject({ state: 'skipped', reason: expect.stringContaining('image/bmp') })
  })

  it('that are damaged or too large to decode are refused', async () => {
    const whole = new Uint8Array(await make(640, 400).jpeg().toBuffer())
    await expect(collect(imageProcessor, whole.subarray(0, 400))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'corrupt-file',
    })
    await expect(collect(imageProcessor, hugePng(60_000, 60_000))).rejects.toMatchObject({
      code: 'corrupt-file',
      message: expect.stringContaining('pixel limit'),
    })
  })

  it('never break the reader of headers', async () => {
    const formats = await Promise.all(
      (['jpeg', 'png', 'webp'] as const).map(
        async (format) =>
          [`image/${format}`, new Uint8Array(await make(64, 40).withExif(exif).toFormat(format).toBuffer())] as const,
      ),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...formats),
        fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 8 }),
        fc.nat(700),
        ([type, bytes], changes, length) => {
          const damaged = bytes.slice(0, length)
          for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte
          expect(imageHeader(damaged, type)).toHaveProperty('exif')
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** A valid PNG header that claims a size without having the pixels. */
function hugePng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const check = Buffer.alloc(4)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return new Uint8Array(
    Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.alloc(10))),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  )
}
