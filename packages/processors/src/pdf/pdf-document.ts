/** Opens PDFs with pdf.js (as `unpdf` packs it), which is loaded when the first one is opened; reads only the ranges it needs. */
import type { Pixels } from '../image/png.ts'
import type { RandomAccess } from '../processor.ts'
import { corruptFile, encrypted } from '../failures.ts'

export interface PdfItem {
  str: string
  /** Scale and position; the last two are left and baseline, in points from the lower left corner. */
  transform: number[]
  width: number
  height: number
  hasEOL: boolean
}

/** What is typed into a form, or on top of a page. */
export interface PdfField {
  text: string
  /** Left, bottom, right, top, in points. */
  box: readonly [number, number, number, number]
}

export interface PdfOutlineItem {
  title: string
  /** From 1. */
  level: number
  /** From 1; undefined if it points outside the document. */
  page: number | undefined
}

export interface PdfDocument extends AsyncDisposable {
  readonly pages: number
  readonly metadata: Record<string, string>
  /** @param page from 1 */
  items(page: number): Promise<PdfItem[]>
  /** In the order of the document, those without a value left out. @param page from 1 */
  fields(page: number): Promise<PdfField[]>
  /** The pictures of a page, the largest first. @param page from 1 */
  pictures(page: number): Promise<Pixels[]>
  outline(): Promise<PdfOutlineItem[]>
}

const CHUNK_BYTES = 256 * 1024
const MAX_OUTLINE = 5_000
const MAX_PIXELS = 100_000_000

/** @throws SiltstoneError `invalid` (encrypted, corrupt-file), or what reading the source throws */
export async function openPdf(source: RandomAccess): Promise<PdfDocument> {
  const { extractImages, getResolvedPDFJS } = await import('unpdf')
  const pdfjs = await getResolvedPDFJS()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  class Ranges extends pdfjs.PDFDataRangeTransport {
    override requestDataRange(begin: number, end: number): void {
      source.read(begin, end - begin).then(
        // pdf.js takes the buffer over.
        (bytes) => this.onDataRange(begin, bytes.slice()),
        (error: unknown) => failure.reject(error instanceof Error ? error : new Error(String(error))),
      )
    }
  }
  const task = pdfjs.getDocument({
    range: new Ranges(source.sizeBytes, null),
    rangeChunkSize: CHUNK_BYTES,
    disableAutoFetch: true,
    disableStream: true,
    isEvalSupported: false,
    useSystemFonts: false,
    verbosity: 0,
  } as Parameters<typeof pdfjs.getDocument>[0])
  const orFailure = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failure.promise])
  const opened = orFailure(task.promise).catch(async (error: unknown) => {
    await task.destroy()
    throw translated(error)
  })
  const document = await opened
  const info = await orFailure(document.getMetadata()).then(
    (metadata) => metadata.info as Record<string, unknown>,
    () => ({}) as Record<string, unknown>,
  )
  return {
    pages: document.numPages,
    metadata: fieldsOf(info),
    async items(number) {
      try {
        const page = await orFailure(document.getPage(number))
        const { items } = await orFailure(page.getTextContent())
        page.cleanup()
        return items.filter((item) => 'str' in item) as PdfItem[]
      } catch (error) {
        throw translated(error)
      }
    },
    async fields(number) {
      try {
        const page = await orFailure(document.getPage(number))
        return fieldsOn((await orFailure(page.getAnnotations())) as Annotation[])
      } catch (error) {
        throw translated(error)
      }
    },
    async pictures(number) {
      try {
        const found = await orFailure(extractImages(document, number))
        return found.filter(isReadable).toSorted((a, b) => b.width * b.height - a.width * a.height)
      } catch (error) {
        throw translated(error)
      }
    },
    async outline() {
      const tree = (await orFailure(document.getOutline())) as OutlineNode[] | null
      const found: PdfOutlineItem[] = []
      const waiting = (tree ?? []).map((node) => ({ node, level: 1 })).reverse()
      while (waiting.length > 0 && found.length < MAX_OUTLINE) {
        const { node, level } = waiting.pop() as { node: OutlineNode; level: number }
        found.push({ title: node.title, level, page: await pageOf(document as unknown as Destinations, node.dest) })
        for (const child of node.items.toReversed()) waiting.push({ node: child, level: level + 1 })
      }
      return found
    },
    [Symbol.asyncDispose]: () => task.destroy(),
  }
}

interface Annotation {
  subtype: string
  rect?: number[]
  hidden?: boolean
  /** Of a field: text, choice, button or signature. */
  fieldType?: 'Tx' | 'Ch' | 'Btn' | 'Sig'
  fieldName?: string
  /** How the field is called for people. */
  alternativeText?: string
  fieldValue?: unknown
  checkBox?: boolean
  radioButton?: boolean
  /** Of a radio button: the value of the field when it is this one. */
  buttonValue?: string | null
  password?: boolean
  /** Of a choice. */
  options?: { exportValue: string; displayValue: string }[]
  contentsObj?: { str: string }
}

function fieldsOn(annotations: readonly Annotation[]): PdfField[] {
  return annotations.flatMap((annotation) => {
    const value = annotation.hidden === true ? '' : valueOf(annotation)
    if (value.trim() === '') return []
    const [left = 0, bottom = 0, right = 0, top = 0] = annotation.rect ?? []
    const name = annotation.alternativeText || annotation.fieldName || ''
    return [{ text: name === '' ? value : `${name}: ${value}`, box: [left, bottom, right, top] as const }]
  })
}

function valueOf(annotation: Annotation): string {
  const { subtype, fieldType, fieldValue, password, options, contentsObj } = annotation
  if (subtype === 'FreeText') return contentsObj?.str ?? ''
  if (subtype !== 'Widget' || password === true) return ''
  if (fieldType === 'Btn') return buttonText(annotation)
  if (fieldType !== 'Tx' && fieldType !== 'Ch') return ''
  const values = [fieldValue].flat().filter((one) => typeof one === 'string')
  return values.map((one) => options?.find(({ exportValue }) => exportValue === one)?.displayValue ?? one).join(', ')
}

function buttonText({ fieldValue, checkBox, radioButton, buttonValue }: Annotation): string {
  if (typeof fieldValue !== 'string' || fieldValue === 'Off') return ''
  if (checkBox === true) return 'yes'
  return radioButton === true && fieldValue === buttonValue ? fieldValue : ''
}

/** Pictures that may hold a line of text, and that fit into memory. */
const isReadable = ({ width, height }: Pixels) => width >= 100 && height >= 20 && width * height <= MAX_PIXELS

interface OutlineNode {
  title: string
  dest: string | unknown[] | null
  items: OutlineNode[]
}

interface Destinations {
  getDestination(name: string): Promise<unknown[] | null>
  getPageIndex(reference: unknown): Promise<number>
}

/** An outline may point to pages that do not exist; such an entry has no page. */
async function pageOf(document: Destinations, dest: OutlineNode['dest']): Promise<number | undefined> {
  try {
    const target = typeof dest === 'string' ? await document.getDestination(dest) : dest
    const [reference] = target ?? []
    if (typeof reference === 'number') return reference + 1
    return reference === undefined || reference === null ? undefined : (await document.getPageIndex(reference)) + 1
  } catch {
    return undefined
  }
}

function fieldsOf(info: Record<string, unknown>): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [name, field] of [
    ['Title', 'title'],
    ['Author', 'author'],
    ['Subject', 'subject'],
    ['CreationDate', 'created'],
  ] as const) {
    const value = info[name]
    if (typeof value === 'string' && value.trim() !== '') fields[field] = dateText(value.trim()).slice(0, 500)
  }
  return fields
}

/** `D:20240301100000Z` as `2024-03-01T10:00:00`; the offset from UTC, which is often wrong, is left out. */
const dateText = (text: string) =>
  text.replace(/^D:(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?.*$/, (_, ...parts: (string | undefined)[]) => {
    const [year, month, day, hour, minute, second] = parts
    return hour === undefined ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hour}:${minute}:${second}`
  })

/** Names of the errors of pdf.js about the content. */
const CONTENT = /^(?:InvalidPDFException|FormatError|XRefParseException|UnknownErrorException|MissingDataException)$/

function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error.name === 'PasswordException') return encrypted('the PDF', error)
  return CONTENT.test(error.name) ? corruptFile(`the PDF cannot be read: ${error.message}`, error) : error
}
