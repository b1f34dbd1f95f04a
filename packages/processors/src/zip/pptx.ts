/** Presentations (ECMA-376, PresentationML): the text of each slide in the order of the show, its title, its charts, its notes. */
import { type Block, oneLine } from '../blocks.ts'
import { chartLines } from './chart.ts'
import type { Archive } from './zip-reader.ts'
import { folderOf, readXml, relationsOf } from './xml.ts'

export async function pptxBlocks(archive: Archive, main: string): Promise<{ blocks: Block[]; slides: number }> {
  const slides = await slideNames(archive, main)
  const blocks: Block[] = []
  for (const [k, name] of slides.entries()) {
    const xml = await archive.readText(name)
    if (xml === undefined) continue
    const place = { slide: k + 1 }
    const { title, lines } = textOf(xml)
    blocks.push(title === '' ? { text: '', startsSection: true } : { text: title, level: 1, place })
    blocks.push(...lines.map((text): Block => ({ text, place })))
    const relations = await relationsOfSlide(archive, name)
    for (const { type, target } of relations)
      if (type === 'chart')
        for (const text of chartLines((await archive.readText(target)) ?? '')) blocks.push({ text, place })
    const notes = await notesOf(archive, relations)
    if (notes.length > 0) blocks.push(...notes.map((text): Block => ({ text, place: { ...place, notes: true } })))
  }
  return { blocks, slides: slides.length }
}

async function slideNames(archive: Archive, main: string): Promise<string[]> {
  const folder = folderOf(main)
  const relations = relationsOf(await archive.readText(`${folder}/_rels/${main.slice(folder.length + 1)}.rels`), folder)
  const names: string[] = []
  readXml((await archive.readText(main)) ?? '', {
    open(name, attributes, path) {
      // The relation's `r:id` has, without its prefix, the name of the slide's own `id`, and stands behind it.
      if (name !== 'sldId' || path.at(-2) !== 'sldIdLst') return
      const target = relations.get(attributes['id'] ?? '')?.target
      if (target !== undefined) names.push(target)
    },
  })
  return names
}

/** Placeholders that repeat the same on every slide. */
const REPEATED = new Set(['sldNum', 'dt', 'ftr', 'hdr'])

function textOf(xml: string): { title: string; lines: string[] } {
  let title = ''
  const lines: string[] = []
  let isTitle = false
  let isRepeated = false
  let paragraph = ''
  let row: string[] | undefined
  readXml(xml, {
    open(name, { type }) {
      if (name === 'sp' || name === 'graphicFrame') {
        isTitle = false
        isRepeated = false
      } else if (name === 'ph') {
        isTitle = type === 'title' || type === 'ctrTitle'
        isRepeated = REPEATED.has(type ?? '')
      } else if (name === 'p') paragraph = ''
      else if (name === 'tr') row = []
      else if (name === 'br' || name === 'tab') paragraph += ' '
    },
    text(data, path) {
      if (path.at(-1) === 't' && !path.includes('Fallback')) paragraph += data
    },
    close(name) {
      if (name === 'p') {
        const line = oneLine(paragraph)
        if (line === '' || isRepeated) return
        if (row) row.push(line)
        else if (isTitle) title = title === '' ? line : `${title} ${line}`
        else lines.push(line)
      } else if (name === 'tr' && row) {
        if (row.length > 0) lines.push(row.join(' | '))
        row = undefined
      }
    },
  })
  return { title, lines }
}

interface Relation {
  target: string
  type: string
}

async function relationsOfSlide(archive: Archive, slide: string): Promise<Relation[]> {
  const folder = folderOf(slide)
  const xml = await archive.readText(`${folder}/_rels/${slide.slice(folder.length + 1)}.rels`)
  return [...relationsOf(xml, folder).values()]
}

async function notesOf(archive: Archive, relations: readonly Relation[]): Promise<string[]> {
  const notes = relations.find(({ type }) => type === 'notesSlide')
  const xml = notes && (await archive.readText(notes.target))
  // Notes repeat the number of the slide as a line of its own.
  return xml === undefined ? [] : textOf(xml).lines.filter((line) => !/^\d+$/.test(line))
}
