/** Text: prose, Markdown, code, tables and JSON. */
import { cutPassages } from 'siltstone/passages'
import { addBlocks, type Block } from '../blocks.ts'
import { readAll } from '../access.ts'
import { contentType } from '../detect/content-type.ts'
import { decodeText, type SniffedText, sniffText } from '../detect/text-encoding.ts'
import { tableSeparator, type TextKind, textKind } from '../detect/text-kind.ts'
import { unsupportedType } from '../failures.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, Summary } from '../processor.ts'
import { type Recorder, Steps } from '../steps.ts'
import { codePieces } from './code.ts'
import { elementBlocks, jsonBlocks } from './json.ts'
import { parseTable, tableRows } from './table.ts'

const MAX_BYTES = 64 * 1024 * 1024

const TYPES: Record<TextKind, string> = {
  plain: 'text/plain',
  markdown: 'text/markdown',
  code: 'text/plain',
  table: 'text/csv',
  json: 'application/json',
  'json-lines': 'application/x-ndjson',
}

export const textProcessor: Processor = {
  name: 'text',
  version: '1',
  accepts: (type, head) =>
    contentType(head, type) === 'text/plain' ? 0.6 : contentType(head, type).startsWith('text/') ? 0.3 : 0,
  process: processText,
}

async function processText(source: RandomAccess, ctx: ProcessContext): Promise<Summary> {
  const steps = new Steps(ctx)
  const metadata: FlatMetadata = {}
  let type = 'text/plain'
  await steps.run('text', async (recorder) => {
    const bytes = await readAll(source, 'the text', MAX_BYTES)
    const sniffed = sniffText(bytes, true)
    if (!sniffed) throw unsupportedType('the file holds bytes that are not text')
    const text = decodeText(bytes, sniffed)
    const kind = textKind(text, '', ctx.name)
    type = TYPES[kind]
    Object.assign(metadata, { encoding: nameOf(sniffed), characters: text.length })
    await READERS[kind](recorder, text)
  })
  return { contentType: type, steps: steps.summaries, metadata }
}

const nameOf = ({ encoding }: SniffedText) => encoding

const READERS: Record<TextKind, (recorder: Recorder, text: string) => Promise<void>> = {
  plain: (recorder, text) => addCut(recorder, text, 'plain'),
  markdown: (recorder, text) => addCut(recorder, text, 'markdown'),
  code: addCode,
  table: addTable,
  json: (recorder, text) => addBlocks(recorder, jsonText(text)),
  'json-lines': (recorder, text) => addBlocks(recorder, jsonLines(text)),
}

async function addCut(recorder: Recorder, text: string, syntax: 'plain' | 'markdown'): Promise<void> {
  for (const { text: document, heading, start, end } of cutPassages(text, { syntax, short: 'keep' }))
    await recorder.add('passage', document, { char_start: start, char_end: end }, heading)
}

async function addCode(recorder: Recorder, text: string): Promise<void> {
  for (const piece of codePieces(text))
    await recorder.add('passage', piece.text, {
      heading: piece.heading,
      line_start: piece.lineStart,
      line_end: piece.lineEnd,
      char_start: piece.charStart,
      char_end: piece.charEnd,
    })
}

async function addTable(recorder: Recorder, text: string): Promise<void> {
  const rows = parseTable(text, tableSeparator(text, 1) ?? ',')
  const blocks = [...tableRows(rows)].map(({ text, row }): Block => ({ text, place: { row_start: row, row_end: row } }))
  await addBlocks(recorder, blocks)
}

function jsonText(text: string): Block[] {
  try {
    return jsonBlocks(JSON.parse(text))
  } catch (error) {
    // Only the beginning was JSON: its lines are read as text.
    if (error instanceof SyntaxError) return text.split(/\n\s*\n/).map((part) => ({ text: part }))
    throw error
  }
}

function jsonLines(text: string): Block[] {
  return text.split('\n').flatMap((line, k) => {
    if (line.trim() === '') return []
    try {
      return elementBlocks(JSON.parse(line), k)
    } catch (error) {
      if (error instanceof SyntaxError) return [{ text: line, place: { element_start: k + 1, element_end: k + 1 } }]
      throw error
    }
  })
}
