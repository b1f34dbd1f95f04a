import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { imageProcessor } from '../image/image-processor.ts'
import { pngOf } from '../image/png.ts'
import { pdfProcessor } from '../pdf/pdf-processor.ts'
import type { PictureText } from '../processor.ts'
import { collect } from '../testing/context.ts'
import { pageOfText, writePdf } from '../testing/pdf-writer.ts'
import { tesseractOcr, type TesseractPackages } from './tesseract-ocr.ts'

const grey = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 90, g: 120, b: 160 } } })
const { signal } = new AbortController()

/** Reads the size of a picture. */
const readSize = async (image: Uint8Array): Promise<PictureText> => {
  const { width, height } = await sharp(image).metadata()
  return { text: `Ferry to the is-\nland,\n${width} wide\n\n~.\n\nNext: ${height}`, confidence: 0.9 }
}

describe('text in images', () => {
  it('is read where somebody asked for it, in paragraphs', async () => {
    const image = new Uint8Array(await grey(640, 400).tiff().toBuffer())
    const { records, summary } = await collect(imageProcessor, image, { readText: readSize })
    expect(records.filter(({ step }) => step === 'ocr')).toMatchObject([
      { kind: 'passage', document: 'Ferry to the island, 640 wide Next: 400' },
    ])
    expect(summary.steps['ocr']).toMatchObject({ state: 'done', records: 1 })
  })

  it('is left out where nobody asked, and where it is a guess', async () => {
    const image = new Uint8Array(await grey(20, 20).png().toBuffer())
    const unasked = await collect(imageProcessor, image)
    expect(unasked.summary.steps['ocr']).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('SILTSTONE_OCR'),
    })
    const guess = async () => ({ text: 'Iilj|', confidence: 0.2 })
    const { records } = await collect(imageProcessor, image, { readText: guess })
    expect(records.map(({ step }) => step)).toEqual(['container'])
  })

  it('is read upright and not larger than 4,000 points', async () => {
    const image = new Uint8Array(await grey(4_400, 1_100).withMetadata({ orientation: 6 }).jpeg().toBuffer())
    const { records } = await collect(imageProcessor, image, { readText: readSize })
    expect(records.find(({ step }) => step === 'ocr')?.document).toContain('1000 wide Next: 4000')
  })
})

describe('scanned pages', () => {
  it('are read, with their page; pages of text are not', async () => {
    const jpeg = new Uint8Array(await grey(300, 200).jpeg().toBuffer())
    const bytes = writePdf([pageOfText(['Rivers carry sand and clay down to the sea.']), [], []], {
      pictures: new Map([[2, { width: 300, height: 200, jpeg }]]),
    })
    const { records, summary } = await collect(pdfProcessor, bytes, { readText: readSize })
    expect(records.filter(({ step }) => step === 'ocr')).toMatchObject([
      { kind: 'passage', document: 'Ferry to the island, 300 wide Next: 200', metadata: { page: 2 } },
    ])
    expect(summary.steps).toMatchObject({ text: { state: 'done', records: 1 }, ocr: { state: 'done', records: 1 } })
  })
})

describe('pixels as PNG', () => {
  it.each([1, 3, 4] as const)('with %i channels are the same when they are read', async (channels) => {
    const data = Uint8Array.from({ length: 7 * 5 * channels }, (_, k) => (k * 37) % 256)
    const image = sharp(pngOf({ width: 7, height: 5, channels, data }))
    const raw = channels === 1 ? image.toColourspace('b-w') : image
    expect(new Uint8Array(await raw.raw().toBuffer())).toEqual(data)
  })
})

describe('tesseract', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-ocr-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const failureOf = (act: () => unknown): unknown => {
    try {
      return act()
    } catch (error) {
      return error
    }
  }

  function installed() {
    const calls: string[] = []
    let started = 0
    const packages: TesseractPackages = {
      languageFolder: (language) => {
        if (language === 'xyz') throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' })
        writeFileSync(join(folder, `${language}.traineddata.gz`), language)
        return folder
      },
      createWorker: async (languages, _engine, { langPath }) => {
        const name = `worker ${++started}`
        const data = languages.map((language) => readFileSync(join(langPath, `${language}.traineddata.gz`), 'utf8'))
        calls.push(`${name} ${data.join(' ')}`)
        return {
          recognize: async (image) => {
            if (image.length === 0) throw new Error('Error attempting to read image.')
            if (image.length === 1) return new Promise(() => undefined)
            return { data: { text: `${image.length} bytes`, confidence: 95 } }
          },
          terminate: async () => calls.push(`end of ${name}`),
        }
      },
    }
    return { calls, load: () => packages }
  }

  it('starts its thread at the first picture, and ends it', async () => {
    const { calls, load } = installed()
    const ocr = tesseractOcr({ languages: 'eng+deu' }, load)
    expect([ocr.name, calls]).toEqual(['tesseract/eng+deu', []])
    const read = await Promise.all([ocr.readText(new Uint8Array(7), signal), ocr.readText(new Uint8Array(8), signal)])
    expect(read).toEqual([
      { text: '7 bytes', confidence: 0.95 },
      { text: '8 bytes', confidence: 0.95 },
    ])
    await expect(ocr.readText(new Uint8Array(0), signal)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'corrupt-file',
    })
    await ocr.close()
    expect(calls).toEqual(['worker 1 eng deu', 'end of worker 1'])
  })

  it('ends its thread when it is cancelled, and goes on with another one', async () => {
    const { calls, load } = installed()
    const ocr = tesseractOcr({}, load)
    const controller = new AbortController()
    const running = ocr.readText(new Uint8Array(1), controller.signal)
    setTimeout(() => controller.abort(new Error('lost the claim')), 20)
    await expect(running).rejects.toThrow('lost the claim')
    expect(await ocr.readText(new Uint8Array(9), signal)).toMatchObject({ text: '9 bytes' })
    expect(calls).toEqual(['worker 1 eng', 'end of worker 1', 'worker 2 eng'])
    await ocr.close()
  })

  it('says what to install, and which languages are none', () => {
    const { load } = installed()
    expect(failureOf(() => tesseractOcr({ languages: 'eng+xyz' }, load))).toMatchObject({
      kind: 'unsupported',
      code: 'ocr-missing',
      message: expect.stringContaining('npm install tesseract.js @tesseract.js-data/eng @tesseract.js-data/xyz'),
    })
    expect(failureOf(() => tesseractOcr({ languages: '../eng' }, load))).toMatchObject({ code: 'ocr-option' })
  })
})
