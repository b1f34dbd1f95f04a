/** Documents in an archive: DOCX, PPTX, XLSX and EPUB, told apart by what the archive holds. */
import { bufferedAccess } from '../access.ts'
import { addBlocks, type Block } from '../blocks.ts'
import { contentType } from '../detect/content-type.ts'
import { latin } from '../detect/magic.ts'
import { encrypted, parsing, unsupportedType } from '../failures.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, Summary } from '../processor.ts'
import { Steps } from '../steps.ts'
import { docxBlocks } from './docx.ts'
import { epubBlocks } from './epub.ts'
import { pptxBlocks } from './pptx.ts'
import { readXml, relationsOf } from './xml.ts'
import { xlsxBlocks } from './xlsx.ts'
import { Archive } from './zip-reader.ts'

const OOXML = 'application/vnd.openxmlformats-officedocument.'
export const TYPES = {
  docx: `${OOXML}wordprocessingml.document`,
  pptx: `${OOXML}presentationml.presentation`,
  xlsx: `${OOXML}spreadsheetml.sheet`,
  epub: 'application/epub+zip',
}

export const officeProcessor: Processor = {
  name: 'office',
  version: '2',
  accepts: (_type, head) => {
    const is = contentType(head)
    // An encrypted document is stored in the container of the old formats.
    if (is === 'application/x-ole-storage') return 0.4
    if (is !== 'application/zip') return 0
    const start = latin(head, 0, Math.min(head.length, 4_096))
    return /\[Content_Types\]\.xml|_rels\/|mimetypeapplication\/epub|word\/|ppt\/|xl\//.test(start) ? 0.9 : 0.5
  },
  process: processOffice,
}

interface Content {
  type: string
  blocks: Block[]
  metadata: FlatMetadata
}

async function processOffice(original: RandomAccess, ctx: ProcessContext): Promise<Summary> {
  const source = bufferedAccess(original)
  const steps = new Steps(ctx)
  let content: Content | undefined
  await steps.run('text', async (recorder) => {
    await refuseOldContainer(source)
    const archive = await Archive.open(source)
    content = await parsing('the document', () => contentOf(archive), source)
    await recorder.alive()
    await addBlocks(recorder, content.blocks)
  })
  const { type = '', metadata = {} } = content ?? {}
  return { contentType: type, steps: steps.summaries, metadata }
}

async function contentOf(archive: Archive): Promise<Content> {
  if (archive.has('META-INF/container.xml')) return { type: TYPES.epub, ...(await epubBlocks(archive)) }
  const main = await mainPart(archive)
  const metadata = await coreProperties(archive)
  if (main.startsWith('word/')) return { type: TYPES.docx, blocks: await docxBlocks(archive, main), metadata }
  if (main.startsWith('ppt/')) {
    const { blocks, slides } = await pptxBlocks(archive, main)
    return { type: TYPES.pptx, blocks, metadata: { ...metadata, slides } }
  }
  if (main.startsWith('xl/')) {
    const { blocks, sheets } = await xlsxBlocks(archive, main)
    return { type: TYPES.xlsx, blocks, metadata: { ...metadata, sheets } }
  }
  throw unsupportedType('the archive is neither DOCX, PPTX, XLSX nor EPUB; store the files in it instead')
}

/** The member that the package names as its document; the usual one where the package names none. */
async function mainPart(archive: Archive): Promise<string> {
  const relations = relationsOf(await archive.readText('_rels/.rels'), '')
  const named = [...relations.values()].find(({ type }) => type === 'officeDocument')?.target
  if (named !== undefined && archive.has(named)) return named
  return ['word/document.xml', 'ppt/presentation.xml', 'xl/workbook.xml'].find((name) => archive.has(name)) ?? ''
}

async function coreProperties(archive: Archive): Promise<FlatMetadata> {
  const metadata: FlatMetadata = {}
  const fields: Record<string, string> = { title: 'title', creator: 'author', subject: 'subject', created: 'created' }
  readXml((await archive.readText('docProps/core.xml')) ?? '', {
    text(data, path) {
      const field = path.at(-2) === 'coreProperties' ? fields[path.at(-1) ?? ''] : undefined
      if (field !== undefined && data.trim() !== '') metadata[field] = data.trim()
    },
  })
  return metadata
}

/** [MS-OFFCRYPTO]: an encrypted document is a compound file with a stream of this name. */
const ENCRYPTED = new TextDecoder('latin1').decode(new Uint8Array(Buffer.from('EncryptedPackage', 'utf16le')))

async function refuseOldContainer(source: RandomAccess): Promise<void> {
  const head = await source.read(0, 512)
  if (contentType(head) !== 'application/x-ole-storage') return
  const [first = 0] = new Uint32Array(head.slice(0x30, 0x34).buffer)
  const sectorBytes = 1 << (head[0x1e] ?? 9)
  const directory = await source.read((first + 1) * sectorBytes, 16 * 1024)
  if (new TextDecoder('latin1').decode(directory).includes(ENCRYPTED)) throw encrypted('the document')
  throw unsupportedType('the file is in a format of Office before 2007, or of Outlook; store it in a current format')
}
