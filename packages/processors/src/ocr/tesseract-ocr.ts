/**
 * Tesseract as WebAssembly (`tesseract.js`), with the data of each language from its package `@tesseract.js-data/<language>`;
 * nothing is downloaded. It runs in a thread of its own, one picture after another; a cancelled call ends the thread, and the
 * next call starts another one.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { invalid, unsupported } from 'siltstone/passages'
import { corruptFile } from '../failures.ts'
import { isMissing } from '../host/optional.ts'
import type { PictureText } from '../processor.ts'
import type { Ocr } from './ocr.ts'

export interface TesseractOptions {
  /** Tesseract's names of languages, joined by `+`. Default `eng`. */
  languages?: string
}

interface Worker {
  recognize(image: Uint8Array): Promise<{ data: { text: string; confidence: number } }>
  terminate(): Promise<unknown>
}

/** What is used of the packages. */
export interface TesseractPackages {
  createWorker(
    languages: string[],
    engine: number,
    options: { langPath: string; gzip: true; cacheMethod: 'none'; errorHandler: (error: unknown) => void },
  ): Promise<Worker>
  /** The folder with `<language>.traineddata.gz`. @throws Error with the code `MODULE_NOT_FOUND` */
  languageFolder(language: string): string
}

/** Tesseract's number of its neural engine. */
const LSTM_ONLY = 1

/**
 * Looks for the packages; the thread is started by the first call.
 * @throws SiltstoneError `invalid` (ocr-option) for languages that are no names; `unsupported` (ocr-missing) with what to install
 */
export function tesseractOcr(
  { languages = 'eng' }: TesseractOptions = {},
  load: () => TesseractPackages = loadPackages,
): Ocr {
  const names = languages.split('+')
  if (!names.every((name) => /^[a-z][a-z_]{2,14}$/.test(name)))
    throw invalid('ocr-option', `languages ${JSON.stringify(languages)}: give names as eng or eng+deu`, {
      field: 'languages',
    })
  const { packages, folders } = loadAll(names, load)
  let worker: Promise<Worker> | undefined
  let last: Promise<unknown> = Promise.resolve()

  const stop = async () => {
    const running = worker
    worker = undefined
    await (await running?.catch(() => undefined))?.terminate()
  }
  const run = async (image: Uint8Array, signal: AbortSignal): Promise<PictureText> => {
    signal.throwIfAborted()
    // Without a handler of its own, an error of the thread would end this process. The call rejects in any case.
    worker ??= inOneFolder(folders, (langPath) =>
      packages.createWorker(names, LSTM_ONLY, {
        langPath,
        gzip: true,
        cacheMethod: 'none',
        errorHandler: () => undefined,
      }),
    )
    const started = await worker
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = () => {
      void stop()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort)
    try {
      const { data: read } = await Promise.race([started.recognize(image), aborted])
      return { text: read.text, confidence: read.confidence / 100 }
    } catch (error) {
      signal.throwIfAborted()
      throw corruptFile(
        `tesseract cannot read the picture: ${error instanceof Error ? error.message : String(error)}`,
        error,
      )
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
  return {
    name: `tesseract/${languages}`,
    readText(image, signal) {
      const result = last.then(() => run(image, signal))
      last = result.catch(() => undefined)
      return result
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Tesseract takes all languages from one folder, and has read them once it has started. */
async function inOneFolder<T>(folders: ReadonlyMap<string, string>, start: (folder: string) => Promise<T>): Promise<T> {
  const [only] = folders.values()
  if (only !== undefined && folders.size === 1) return start(only)
  const folder = await mkdtemp(join(tmpdir(), 'siltstone-ocr-'))
  try {
    for (const [name, from] of folders) await copyFile(join(from, dataFile(name)), join(folder, dataFile(name)))
    return await start(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const dataFile = (language: string) => `${language}.traineddata.gz`

function loadAll(names: readonly string[], load: () => TesseractPackages) {
  try {
    const packages = load()
    return { packages, folders: new Map(names.map((name) => [name, packages.languageFolder(name)])) }
  } catch (error) {
    if (!isMissing(error)) throw error
    const needed = ['tesseract.js', ...names.map((name) => `@tesseract.js-data/${name}`)].join(' ')
    throw unsupported('ocr-missing', `reading text in pictures needs packages: npm install ${needed}`, { cause: error })
  }
}

function loadPackages(): TesseractPackages {
  const require = createRequire(import.meta.url)
  const { createWorker } = require('tesseract.js') as Pick<TesseractPackages, 'createWorker'>
  return {
    createWorker,
    languageFolder: (language) => (require(`@tesseract.js-data/${language}`) as { langPath: string }).langPath,
  }
}
