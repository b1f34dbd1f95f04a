/** Word documents (ECMA-376, WordprocessingML): paragraphs, headings by style, tables, charts, footnotes, comments. They have no pages. */
import { type Block, oneLine } from '../blocks.ts'
import { chartLines } from './chart.ts'
import type { Archive } from './zip-reader.ts'
import { folderOf, readXml, relationsOf } from './xml.ts'

export async function docxBlocks(archive: Archive, main: string): Promise<Block[]> {
  const folder = folderOf(main)
  const relations = relationsOf(await archive.readText(`${folder}/_rels/${main.slice(folder.length + 1)}.rels`), folder)
  const partOf = (type: string) => [...relations.values()].find((relation) => relation.type === type)?.target
  const textOf = async (type: string) => {
    const part = partOf(type)
    return part === undefined ? undefined : archive.readText(part)
  }
  const levels = headingLevels((await textOf('styles')) ?? '')
  const blocks = paragraphsOf((await archive.readText(main)) ?? '', levels)
  for (const { type, target } of relations.values())
    if (type === 'chart')
      for (const text of chartLines((await archive.readText(target)) ?? ''))
        blocks.push({ text, place: { chart: true } })
  for (const [notes, place] of [
    ['footnotes', { note: true }],
    ['endnotes', { note: true }],
    ['comments', { comment: true }],
  ] as const)
    for (const block of paragraphsOf((await textOf(notes)) ?? '', new Map())) blocks.push({ ...block, place })
  return blocks
}

/** Heading level by style id, from 1: by outline level, which styles inherit, or by name. */
function headingLevels(xml: string): Map<string, number> {
  const levels = new Map<string, number>()
  const parents = new Map<string, string>()
  let style = ''
  readXml(xml, {
    open(name, { styleId, val = '' }, path) {
      if (name === 'style') style = styleId ?? ''
      if (path.at(-2) === 'style') {
        const named = /^heading (\d)$/i.exec(val)
        if (name === 'name' && (named || val === 'Title')) levels.set(style, named ? Number(named[1]) : 1)
        if (name === 'basedOn') parents.set(style, val)
      }
      if (name === 'outlineLvl' && Number(val) < 9 && style !== '') levels.set(style, Number(val) + 1)
    },
  })
  for (const id of parents.keys()) {
    let parent = parents.get(id)
    for (let steps = 0; parent !== undefined && steps < 20 && !levels.has(id); steps++) {
      const level = levels.get(parent)
      if (level !== undefined) levels.set(id, level)
      parent = parents.get(parent)
    }
  }
  return levels
}

function paragraphsOf(xml: string, levels: ReadonlyMap<string, number>): Block[] {
  const blocks: Block[] = []
  let number = 0
  let text = ''
  let level: number | undefined
  /** The paragraphs around this one: it is in a text box, which lies in a paragraph. */
  const around: { text: string; level: number | undefined }[] = []
  let row: string[] = []
  let cell = ''
  let tables = 0
  readXml(xml, {
    open(name, { val = '' }, path) {
      if (name === 'tbl') tables++
      if (name === 'p') {
        around.push({ text, level })
        text = ''
        level = undefined
      } else if (name === 'tr' && tables === 1) row = []
      else if (name === 'tc' && tables === 1) cell = ''
      else if (name === 'pStyle') level ??= levels.get(val)
      else if (name === 'outlineLvl' && path.at(-2) === 'pPr' && Number(val) < 9) level = Number(val) + 1
      else if (name === 'tab' || name === 'br' || name === 'cr') text += ' '
      else if (name === 'noBreakHyphen') text += '-'
    },
    text(data, path) {
      // `delText` is text that a tracked change removed, `moveFrom` holds what it moved elsewhere.
      if (path.at(-1) === 't' && !path.includes('Fallback') && !path.includes('moveFrom')) text += data
    },
    close(name) {
      if (name === 'p') {
        number++
        const line = oneLine(text)
        const ended = level
        ;({ text, level } = around.pop() ?? { text: '', level: undefined })
        if (line === '') return
        if (tables > 0) cell += cell === '' ? line : ` ${line}`
        else
          blocks.push({
            text: line,
            ...(ended !== undefined && { level: ended }),
            place: { paragraph_start: number, paragraph_end: number },
          })
      } else if (name === 'tc' && tables === 1) row.push(cell)
      else if (name === 'tr' && tables === 1) {
        const line = row.filter((part) => part !== '').join(' | ')
        if (line !== '') blocks.push({ text: line, place: { paragraph_start: number, paragraph_end: number } })
      } else if (name === 'tbl') tables--
    },
  })
  return blocks
}
