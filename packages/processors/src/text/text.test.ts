import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect, documentsOf, metadatasOf } from '../testing/context.ts'
import { codePieces } from './code.ts'
import { parseTable } from './table.ts'
import { textProcessor } from './text-processor.ts'

const words = (topic: string, count = 60) => `${topic} ${'settles slowly in still water '.repeat(count / 5).trim()}.`

describe('text', () => {
  it('becomes passages that lie where they say', async () => {
    const word = fc.stringMatching(/^[a-zé漢]{1,12}$/)
    const paragraph = fc.array(word, { minLength: 1, maxLength: 300 }).map((parts) => parts.join(' '))
    await fc.assert(
      fc.asyncProperty(fc.array(paragraph, { minLength: 1, maxLength: 6 }), async (paragraphs) => {
        const text = paragraphs.join('\n\n')
        const { records } = await collect(textProcessor, text, { name: 'a.txt' })
        const kept = records.map(({ document }) => document).join(' ')
        expect(kept).toBe(paragraphs.join(' '))
        for (const { document, metadata } of records) {
          const slice = text.slice(metadata['char_start'] as number, metadata['char_end'] as number)
          expect(slice.replaceAll(/\s+/g, ' ').trim()).toBe(document)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the offsets of Markdown behind markup, front matter and code', async () => {
    const long = Array.from({ length: 300 }, (_, k) => `**word${k}** [link${k}](http://example.com/word${k})`).join(' ')
    const text = `---\nt: 1\n---\n# Silt\n\n\`\`\`\nrm -rf /\n\`\`\`\n\n${long}\n\n## Stone\n\nIt hardens.\n`
    const collected = await collect(textProcessor, text, { name: 'a.md' })
    const [first, ...rest] = collected.records
    expect(text.slice(first?.metadata['char_start'] as number).startsWith('**word0**')).toBe(true)
    expect(rest.length).toBeGreaterThan(1)
    for (const { document, metadata } of collected.records.slice(0, -1)) {
      const slice = text.slice(metadata['char_start'] as number, metadata['char_end'] as number)
      const [, start, end] = /^(\w+)[\s\S]*?(\w+)$/.exec(document) as RegExpExecArray
      expect(slice.indexOf(start as string)).toBeLessThan(60)
      expect(slice).toContain(end)
    }
    expect(collected.records.at(-1)).toMatchObject({ document: 'It hardens.', metadata: { heading: 'Stone' } })
    expect(collected.summary).toMatchObject({ contentType: 'text/markdown', steps: { text: { state: 'done' } } })
  })

  it('embeds a passage together with its heading', async () => {
    const { records } = await collect(textProcessor, `# Silt\n\n${words('Mud')}`, { name: 'a.md' })
    expect(records[0]?.embedding?.[1]).toBe(2)
    const plain = await collect(textProcessor, words('Mud'), { name: 'a.txt' })
    expect(plain.records[0]?.embedding).toBeUndefined()
  })

  it('tells tables, JSON and JSON Lines apart by content', async () => {
    const table = await collect(textProcessor, 'river,length\nElbe,1094\n"Main, upper",527\nRhine,1233\n')
    expect(documentsOf(table)).toEqual([
      'river: Elbe; length: 1094 river: Main, upper; length: 527 river: Rhine; length: 1233',
    ])
    expect(metadatasOf(table)).toMatchObject([{ row_start: 2, row_end: 4 }])
    const json = await collect(textProcessor, '{"title":"Rivers","list":[{"name":"Elbe","tags":["cold","long"]}]}')
    expect(json.records).toMatchObject([
      { document: 'title: Rivers' },
      { document: '[0].name: Elbe [0].tags: cold, long', metadata: { heading: 'list' } },
    ])
    const lines = await collect(textProcessor, '{"a":1}\n{"a":2}\n')
    expect(lines.records).toMatchObject([{ document: 'a: 1 a: 2', metadata: { element_start: 1, element_end: 2 } }])
  })

  it('refuses bytes that are no text, and takes an empty file', async () => {
    const noise = Uint8Array.from({ length: 5_000 }, (_, k) => (k < 4_500 ? 97 : k % 9))
    await expect(collect(textProcessor, noise)).rejects.toMatchObject({ kind: 'unsupported', code: 'unsupported-type' })
    expect((await collect(textProcessor, '')).records).toEqual([])
  })

  it('stops when it is cancelled', async () => {
    const signal = AbortSignal.abort(new Error('lost the claim'))
    await expect(collect(textProcessor, words('Mud'), { signal })).rejects.toThrow('lost the claim')
  })
})

describe('code', () => {
  it('is cut between lines, and every line is in one piece', () => {
    const line = fc.stringMatching(/^ {0,4}[a-z(){};]{0,60}$/)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), (lines) => {
        const text = lines.join('\n')
        const pieces = [...codePieces(text)]
        let before = 0
        for (const piece of pieces) {
          expect(piece.lineStart).toBeGreaterThan(before)
          expect(text.slice(piece.charStart, piece.charEnd)).toBe(piece.text)
          expect(lines.slice(piece.lineStart - 1, piece.lineEnd).join('\n')).toBe(piece.text)
          before = piece.lineEnd
        }
        const covered = new Set(pieces.flatMap(({ lineStart, lineEnd }) => range(lineStart, lineEnd)))
        const left = lines.filter((text, k) => text.trim() !== '' && !covered.has(k + 1))
        expect(left).toEqual([])
      }),
    )
  })

  it('begins a piece at a definition and names it', async () => {
    const body = Array.from({ length: 30 }, (_, k) => `    total = total + step_${k} * 2`).join('\n')
    const text = `import os\n\n# Adds sand.\ndef add_sand(total):\n${body}\n\ndef add_clay(total):\n${body}\n`
    const { records } = await collect(textProcessor, text, { name: 'grains.py' })
    expect(records.map(({ metadata }) => metadata['heading'])).toEqual(['import os', 'def add_clay(total):'])
    expect(records[1]?.metadata).toMatchObject({ line_start: 36, line_end: 66 })
  })

  it('cuts a line without an end', () => {
    const pieces = [...codePieces(`${'x'.repeat(5_000)};`)]
    expect(pieces.map(({ text }) => text).join('')).toHaveLength(5_001)
    expect(pieces.length).toBeGreaterThan(2)
  })
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, k) => from + k)

describe('tables', () => {
  it('read what was quoted', () => {
    const field = fc.string({ unit: fc.constantFrom(...Array.from('ab,"\n ;')) })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { minLength: 1 }), (rows) => {
        const text = rows.map((row) => row.map(quote).join(',')).join('\n')
        expect([...parseTable(text, ',')]).toEqual(rows)
      }),
    )
  })

  it('keep empty fields, and survive a quote without an end', () => {
    expect([...parseTable('a,,b,\n"c,d\ne', ',')]).toEqual([['a', '', 'b', ''], ['c,d'], ['e']])
  })
})
