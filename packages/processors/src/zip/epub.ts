/** Books (EPUB 3, and 2): the chapters in the order of the spine, with the path of each. */
import type { Block } from '../blocks.ts'
import { corruptFile, encrypted } from '../failures.ts'
import type { FlatMetadata } from '../processor.ts'
import { htmlBlocks } from '../text/html-blocks.ts'
import { decodeHtml } from '../text/html-processor.ts'
import type { Archive } from './zip-reader.ts'
import { folderOf, readXml, resolveName } from './xml.ts'

export async function epubBlocks(archive: Archive): Promise<{ blocks: Block[]; metadata: FlatMetadata }> {
  const { chapters, metadata } = await packageOf(archive)
  const locked = await lockedNames(archive)
  const blocks: Block[] = []
  if (chapters.length > 0 && !chapters.some((path) => archive.has(path)))
    throw corruptFile(`the book lacks each of its ${chapters.length} chapters, ${chapters[0]} for example`)
  for (const path of chapters) {
    if (locked.has(path)) throw encrypted(`${path} in the book`)
    const bytes = await archive.read(path)
    if (!bytes) continue
    blocks.push({ text: '', startsSection: true })
    for (const block of htmlBlocks(decodeHtml(bytes), { place: { path } }).blocks) blocks.push(block)
  }
  return { blocks, metadata: { ...metadata, chapters: chapters.length } }
}

async function packageOf(archive: Archive): Promise<{ chapters: string[]; metadata: FlatMetadata }> {
  let main = ''
  readXml((await archive.readText('META-INF/container.xml')) ?? '', {
    open(name, attributes) {
      if (name === 'rootfile') main ||= attributes['full-path'] ?? ''
    },
  })
  const xml = main === '' ? undefined : await archive.readText(main)
  if (xml === undefined) throw corruptFile('the book names no package document')
  const items = new Map<string, string>()
  const chapters: string[] = []
  const metadata: FlatMetadata = {}
  const fields: Record<string, string> = { title: 'title', creator: 'author', language: 'language' }
  readXml(xml, {
    open(name, { id = '', href, idref = '', properties = '' }) {
      // The table of contents repeats the headings.
      const isContents = properties.split(/\s+/).includes('nav')
      if (name === 'item' && href !== undefined && !isContents) items.set(id, resolveName(folderOf(main), pathOf(href)))
      const path = name === 'itemref' ? items.get(idref) : undefined
      if (path !== undefined) chapters.push(path)
    },
    text(data, path) {
      const field = path.at(-2) === 'metadata' ? fields[path.at(-1) ?? ''] : undefined
      if (field !== undefined && data.trim() !== '') metadata[field] ??= data.trim()
    },
  })
  return { chapters, metadata }
}

/** Members that are encrypted in a way that needs a key; fonts are only obfuscated. */
async function lockedNames(archive: Archive): Promise<Set<string>> {
  const names = new Set<string>()
  let algorithm = ''
  readXml((await archive.readText('META-INF/encryption.xml')) ?? '', {
    open(name, attributes) {
      if (name === 'EncryptionMethod') algorithm = attributes['Algorithm'] ?? ''
      if (name === 'CipherReference' && !/obfuscation|RC$/i.test(algorithm)) names.add(pathOf(attributes['URI'] ?? ''))
    },
  })
  return names
}

function pathOf(href: string): string {
  const [path = ''] = href.split('#')
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError) return path
    throw error
  }
}
