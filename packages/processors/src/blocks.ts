/**
 * Blocks: what the readers of documents make of every format, and what is cut into passages. A block is a heading or a
 * paragraph with its place. A passage has the place of its first block, and the end of its last one.
 */
import { joinParagraphs } from 'siltstone/passages'
import type { FlatMetadata } from './processor.ts'
import type { Recorder } from './steps.ts'

export interface Block {
  text: string
  /** Level of a heading, from 1; undefined for other text. */
  level?: number
  /** `page`, `slide`, `sheet`, `row_start`, … */
  place?: FlatMetadata
  /** Left, bottom, right and top on its page, in points. */
  box?: readonly [number, number, number, number]
  /** Its text is never joined with the text before it: a slide, a sheet. */
  startsSection?: boolean
}

export interface PlacedPassage {
  text: string
  heading: string
  place: FlatMetadata
}

/** Passages of blocks, in their order. No text is lost: a heading without text under it becomes a passage. */
export function* passagesOfBlocks(blocks: readonly Block[]): Generator<PlacedPassage> {
  let start = 0
  for (let end = 1; end <= blocks.length; end++) {
    const next = blocks[end]
    if (next && next.level === undefined && next.startsSection !== true) continue
    yield* passagesOfSection(blocks, start, end, headingBefore(blocks, start))
    start = end
  }
}

function headingBefore(blocks: readonly Block[], start: number): string {
  for (let i = start; i >= 0; i--) {
    const { level, text, startsSection } = blocks[i] as Block
    if (level !== undefined) return oneLine(text)
    if (startsSection === true) return ''
  }
  return ''
}

function* passagesOfSection(all: readonly Block[], start: number, end: number, heading: string) {
  const isLoneHeading = end === start + 1
  const first = all[start]?.level !== undefined && !isLoneHeading ? start + 1 : start
  const paragraphs = all
    .slice(first, end)
    .map(({ text }, k) => ({ text: oneLine(text), start: first + k, end: first + k }))
  for (const passage of joinParagraphs(paragraphs, { short: 'keep' }))
    yield { text: passage.text, heading, place: placeOf(all.slice(passage.start, passage.end + 1)) }
}

function placeOf(blocks: readonly Block[]): FlatMetadata {
  const first = blocks[0]?.place ?? {}
  const last = blocks.at(-1)?.place ?? {}
  const place: FlatMetadata = { ...first }
  for (const [key, value] of Object.entries(last)) if (key.endsWith('_end')) place[key] = value
  if (first['page'] !== undefined && last['page'] !== undefined && first['page'] !== last['page'])
    place['page_end'] = last['page']
  const boxes = blocks.map(({ box }) => box)
  if (place['page_end'] === undefined && boxes.every((box) => box !== undefined) && boxes.length > 0)
    place['bbox'] = [
      Math.min(...boxes.map((box) => box[0])),
      Math.min(...boxes.map((box) => box[1])),
      Math.max(...boxes.map((box) => box[2])),
      Math.max(...boxes.map((box) => box[3])),
    ]
      .map((point) => Math.round(point))
      .join(',')
  return place
}

export async function addBlocks(recorder: Recorder, blocks: readonly Block[], place: FlatMetadata = {}): Promise<void> {
  for (const passage of passagesOfBlocks(blocks))
    await recorder.add('passage', passage.text, { ...place, ...passage.place }, passage.heading)
}

export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
