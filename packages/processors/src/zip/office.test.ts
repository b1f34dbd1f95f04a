import { strToU8, zipSync, type Zippable } from 'fflate'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accessBytes } from '../access.ts'
import { collect, documentsOf, metadatasOf } from '../testing/context.ts'
import { officeProcessor, TYPES } from './office-processor.ts'
import { ARCHIVE_LIMITS, Archive } from './zip-reader.ts'

type Files = Record<string, string>
const zip = (files: Files) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])) as Zippable)
const relations = (list: readonly (readonly [id: string, type: string, target: string])[]) =>
  `<Relationships xmlns="x">${list.map(([id, type, target]) => `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`).join('')}</Relationships>`
const main = (target: string) => ({
  '[Content_Types].xml': '<Types/>',
  '_rels/.rels': relations([['r1', 'officeDocument', target]]),
})

const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`
const paragraph = (text: string, style = '') =>
  `<w:p>${style && `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}${run(text)}</w:p>`
const cell = (text: string) => `<w:tc>${paragraph(text)}</w:tc>`
const STYLES = `<w:styles><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="Mine"><w:name w:val="My head"/><w:basedOn w:val="H1"/></w:style><w:style w:styleId="Out"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>`
const docx = (body: string, more: Files = {}) =>
  zip({
    ...main('word/document.xml'),
    'word/document.xml': `<w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`,
    'word/_rels/document.xml.rels': relations([
      ['s', 'styles', 'styles.xml'],
      ['f', 'footnotes', 'footnotes.xml'],
    ]),
    'word/styles.xml': STYLES,
    'word/footnotes.xml': `<w:footnotes>${paragraph('A note on clay.')}</w:footnotes>`,
    'docProps/core.xml':
      '<cp:coreProperties><dc:title>Grains</dc:title><dc:creator>Ada</dc:creator></cp:coreProperties>',
    ...more,
  })

const points = (...values: string[]) => values.map((value) => `<c:pt><c:v>${value}</c:v></c:pt>`).join('')
const CHART = `<c:chartSpace><c:chart><c:title><c:tx><a:t>Lengths</a:t></c:tx></c:title><c:ser><c:tx>${points('Kilometres')}</c:tx><c:cat>${points('Elbe', 'Rhine')}</c:cat><c:val>${points('1094', '1233')}</c:val></c:ser></c:chart></c:chartSpace>`

describe('DOCX', () => {
  it('has headings by style, rows of tables, and footnotes', async () => {
    const collected = await collect(
      officeProcessor,
      docx(
        paragraph('Silt', 'H1') +
          paragraph('Silt &amp; sand sink.') +
          paragraph('Derived', 'Mine') +
          paragraph('Under it.') +
          paragraph('Outline', 'Out') +
          `<w:tbl><w:tr>${cell('River')}${cell('km')}</w:tr><w:tr>${cell('Elbe')}${cell('1094')}</w:tr></w:tbl>` +
          `<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>${run('The')}${run(' end.')}</w:p>`,
      ),
    )
    expect(collected.records.map(({ document, metadata }) => [metadata['heading'], document])).toEqual([
      ['Silt', 'Silt & sand sink.'],
      ['Derived', 'Under it.'],
      ['Outline', 'River | km Elbe | 1094 The end. A note on clay.'],
    ])
    expect(collected.summary).toMatchObject({ contentType: TYPES.docx, metadata: { title: 'Grains', author: 'Ada' } })
    expect(collected.records[0]?.metadata).toMatchObject({ paragraph_start: 2, paragraph_end: 2 })
  })

  it('keeps a paragraph around its text box, and reads moved text once', async () => {
    const box = `<w:txbxContent>${paragraph('Inside the box.')}</w:txbxContent>`
    const drawing = `<w:r><mc:AlternateContent><mc:Choice><wps:txbx>${box}</wps:txbx></mc:Choice><mc:Fallback><w:pict>${box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>`
    const boxed = `<w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr>${run('Before')}${drawing}${run(' and after')}</w:p>`
    const moved = `<w:p><w:moveFrom>${run('It moved.')}</w:moveFrom></w:p>${paragraph('Middle.')}<w:p><w:moveTo>${run('It moved.')}</w:moveTo><w:ins>${run(' It is new.')}</w:ins></w:p>`
    const { records } = await collect(officeProcessor, docx(boxed + moved, { 'word/footnotes.xml': '<w:footnotes/>' }))
    expect(records.map(({ document, metadata }) => [metadata['heading'], document])).toEqual([
      [undefined, 'Inside the box.'],
      ['Before and after', 'Middle. It moved. It is new.'],
    ])
  })

  it('has charts and comments', async () => {
    const bytes = docx(paragraph('Text.'), {
      'word/_rels/document.xml.rels': relations([
        ['c', 'chart', 'charts/c.xml'],
        ['m', 'comments', 'comments.xml'],
      ]),
      'word/charts/c.xml': CHART,
      'word/comments.xml': `<w:comments><w:comment>${paragraph('Is this true?')}</w:comment></w:comments>`,
    })
    expect(documentsOf(await collect(officeProcessor, bytes)).join(' ')).toBe(
      'Text. Lengths Kilometres: Elbe 1094, Rhine 1233 Is this true?',
    )
  })

  it('may be in UTF-16', async () => {
    const text = `<?xml version="1.0" encoding="UTF-16"?><w:document><w:body>${paragraph('Über Flüsse.')}</w:body></w:document>`
    for (const isBig of [false, true]) {
      const little = Buffer.from(`\ufeff${text}`, 'utf16le')
      const bytes = zipSync({
        '_rels/.rels': strToU8(relations([['r1', 'officeDocument', 'word/document.xml']])),
        'word/document.xml': isBig ? Buffer.from(little).swap16() : little,
      })
      expect(documentsOf(await collect(officeProcessor, bytes))).toEqual(['Über Flüsse.'])
    }
  })
})

describe('PPTX', () => {
  it('has the slides in the order of the show, with titles and notes', async () => {
    const shape = (text: string, type = '') =>
      `<p:sp><p:nvSpPr><p:nvPr>${type && `<p:ph type="${type}"/>`}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`
    const slide = (inner: string) =>
      `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${inner}</p:spTree></p:cSld></p:sld>`
    const bytes = zip({
      ...main('ppt/presentation.xml'),
      'ppt/presentation.xml':
        '<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="b"/><p:sldId id="257" r:id="a"/></p:sldIdLst></p:presentation>',
      'ppt/_rels/presentation.xml.rels': relations([
        ['a', 'slide', 'slides/slide1.xml'],
        ['b', 'slide', 'slides/slide2.xml'],
      ]),
      'ppt/slides/slide1.xml': slide(shape('Second shown.')),
      'ppt/slides/slide2.xml': slide(
        shape('Confidential', 'ftr') +
          shape('Rivers', 'title') +
          shape('They carry sand.') +
          shape('Slide 1', 'sldNum'),
      ),
      'ppt/slides/_rels/slide2.xml.rels': relations([
        ['n', 'notesSlide', '../notesSlides/n.xml'],
        ['c', 'chart', '../charts/c.xml'],
      ]),
      'ppt/charts/c.xml': CHART,
      'ppt/notesSlides/n.xml': slide(shape('Say this slowly.') + shape('1', 'sldNum') + shape('Today', 'dt')),
    })
    const collected = await collect(officeProcessor, bytes)
    expect(collected.records).toMatchObject([
      {
        document: 'They carry sand. Lengths Kilometres: Elbe 1094, Rhine 1233 Say this slowly.',
        metadata: { slide: 1, heading: 'Rivers' },
      },
      { document: 'Second shown.', metadata: { slide: 2 } },
    ])
    expect(collected.records[1]?.metadata['heading']).toBeUndefined()
    expect(collected.summary).toMatchObject({ contentType: TYPES.pptx, metadata: { slides: 2 } })
  })
})

describe('XLSX', () => {
  it('has sheets with rows under their header, strings, dates and gaps', async () => {
    const bytes = zip({
      ...main('xl/workbook.xml'),
      'xl/workbook.xml':
        '<workbook xmlns:r="r"><sheets><sheet name="Rivers" sheetId="7" r:id="a"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels': relations([
        ['a', 'worksheet', '/xl/worksheets/s.xml'],
        ['s', 'sharedStrings', 'sharedStrings.xml'],
        ['t', 'styles', 'styles.xml'],
      ]),
      'xl/sharedStrings.xml':
        '<sst><si><t>river</t></si><si><t>length</t></si><si><r><t>El</t></r><r><t>be</t></r></si></sst>',
      'xl/styles.xml': '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
      'xl/worksheets/s.xml':
        '<worksheet><sheetData><row r="3"><c r="B3" t="s"><v>0</v></c><c r="C3" t="s"><v>1</v></c></row><row r="5"><c r="B5" t="s"><v>2</v></c><c r="C5"><v>1094</v></c><c r="D5" s="1"><v>45352</v></c></row></sheetData></worksheet>',
    })
    const { records, summary } = await collect(officeProcessor, bytes)
    expect(records).toMatchObject([
      {
        document: expect.any(String),
        metadata: { heading: 'Rivers', sheet: 'Rivers', row_start: 5, row_end: 5 },
      },
    ])
    expect(records[0]?.document).toContain('2024-03-01')
    expect(summary).toMatchObject({ contentType: TYPES.xlsx, metadata: { sheets: 1 } })
  })

  it('has times of a day, and lengths of time', async () => {
    const bytes = zip({
      ...main('xl/workbook.xml'),
      'xl/workbook.xml': '<workbook xmlns:r="r"><sheets><sheet name="Times" r:id="a"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels': relations([
        ['a', 'worksheet', 'worksheets/s.xml'],
        ['t', 'styles', 'styles.xml'],
      ]),
      'xl/styles.xml':
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[h]:mm:ss"/><numFmt numFmtId="165" formatCode="mmm\\-yy"/><numFmt numFmtId="166" formatCode="[Red]0.00"/></numFmts><cellXfs><xf numFmtId="20"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>',
      'xl/worksheets/s.xml':
        '<worksheet><sheetData><row r="1"><c r="A1" s="0"><v>0.5868055555555556</v></c><c r="B1" s="1"><v>1.25</v></c><c r="C1" s="2"><v>45352</v></c><c r="D1" s="3"><v>0.5</v></c></row></sheetData></worksheet>',
    })
    expect(documentsOf(await collect(officeProcessor, bytes))).toEqual(['14:05:00; 30:00:00; 2024-03-01; 0.5'])
  })

  it('may count days from 1904', async () => {
    const bytes = zip({
      ...main('xl/workbook.xml'),
      'xl/workbook.xml':
        '<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="Days" r:id="a"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels': relations([
        ['a', 'worksheet', 'worksheets/s.xml'],
        ['t', 'styles', 'styles.xml'],
      ]),
      'xl/styles.xml': '<styleSheet><cellXfs><xf numFmtId="22"/></cellXfs></styleSheet>',
      'xl/worksheets/s.xml':
        '<worksheet><sheetData><row r="1"><c r="A1" s="0"><v>43890.5</v></c></row></sheetData></worksheet>',
    })
    expect(documentsOf(await collect(officeProcessor, bytes)).join(' ')).toContain('2024-03-01 12:00:00')
  })
})

describe('EPUB', () => {
  const book = (more: Files = {}) =>
    zip({
      mimetype: 'application/epub+zip',
      'META-INF/container.xml': '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
      'OEBPS/book.opf':
        '<package><metadata><dc:title>On Rivers</dc:title><dc:language>en</dc:language></metadata><manifest><item id="b" href="text/b.xhtml"/><item id="a" href="text/a%20b.xhtml"/><item id="n" href="nav.xhtml" properties="nav"/></manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>',
      'OEBPS/nav.xhtml': '<html><body><nav><ol><li>Springs</li></ol></nav></body></html>',
      'OEBPS/text/a b.xhtml': '<html><body><h1>Springs</h1><p>Water comes up.</p></body></html>',
      'OEBPS/text/b.xhtml': '<html><body><p>It runs down.</p></body></html>',
      ...more,
    })
  it('has the chapters in order, with their paths', async () => {
    const { records, summary } = await collect(officeProcessor, book())
    expect(records).toMatchObject([
      { document: 'Water comes up.', metadata: { heading: 'Springs', path: 'OEBPS/text/a b.xhtml' } },
      { document: 'It runs down.', metadata: { path: 'OEBPS/text/b.xhtml' } },
    ])
    expect(summary).toMatchObject({ contentType: TYPES.epub, metadata: { title: 'On Rivers', chapters: 2 } })
  })

  it('without its chapters is refused', async () => {
    const opf =
      '<package><manifest><item id="a" href="gone.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
    await expect(collect(officeProcessor, book({ 'OEBPS/book.opf': opf }))).rejects.toMatchObject({
      code: 'corrupt-file',
      message: expect.stringContaining('OEBPS/gone.xhtml'),
    })
  })

  it('with a key is refused', async () => {
    const lock =
      '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><CipherData><CipherReference URI="OEBPS/text/b.xhtml"/></CipherData></EncryptedData></encryption>'
    await expect(collect(officeProcessor, book({ 'META-INF/encryption.xml': lock }))).rejects.toMatchObject({
      code: 'encrypted',
    })
  })
})

describe('archives', () => {
  it('give their members back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-zé]{1,8}$/), fc.string(), { maxKeys: 8 }),
        async (files) => {
          const archive = await Archive.open(accessBytes(zip(files)))
          expect(new Set(archive.names)).toEqual(new Set(Object.keys(files)))
          for (const [name, text] of Object.entries(files)) expect(await archive.readText(name)).toBe(text)
        },
      ),
    )
  })

  it('that grow beyond the limits are refused', async () => {
    const bomb = docx(paragraph('x'), {
      'word/document.xml': `<w:document>${' '.repeat(5 * 1024 * 1024)}</w:document>`,
    })
    await expect(collect(officeProcessor, bomb)).rejects.toMatchObject({ kind: 'invalid', code: 'archive-too-large' })
    const many = accessBytes(zip(Object.fromEntries(Array.from({ length: 30 }, (_, k) => [`f${k}`, 'x']))))
    await expect(Archive.open(many, { ...ARCHIVE_LIMITS, entries: 20 })).rejects.toMatchObject({
      code: 'archive-too-large',
    })
    const total = await Archive.open(accessBytes(zip({ a: 'x'.repeat(900), b: 'y'.repeat(900) })), {
      ...ARCHIVE_LIMITS,
      totalBytes: 1_000,
    })
    expect(await total.read('a')).toHaveLength(900)
    await expect(total.read('b')).rejects.toMatchObject({ code: 'archive-too-large' })
  })

  it('that are encrypted, cut off or no documents are refused with a reason', async () => {
    const locked = docx(paragraph('x'))
    const text = Buffer.from(locked.buffer, locked.byteOffset, locked.length)
    const at = text.indexOf('PK\x01\x02')
    for (let next = at; next >= 0; next = text.indexOf('PK\x01\x02', next + 4)) locked[next + 8] = 1
    await expect(collect(officeProcessor, locked)).rejects.toMatchObject({ kind: 'invalid', code: 'encrypted' })
    const whole = docx(paragraph('x'))
    await expect(collect(officeProcessor, whole.subarray(0, whole.length - 40))).rejects.toMatchObject({
      code: 'corrupt-file',
    })
    await expect(collect(officeProcessor, zip({ 'a.txt': 'x' }))).rejects.toMatchObject({ code: 'unsupported-type' })
  })

  it('never fail otherwise when bytes are damaged', async () => {
    const whole = docx(paragraph('Silt', 'H1') + paragraph('Rivers carry sand.'))
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
        const damaged = whole.slice()
        damaged[at] = byte
        const outcome = await collect(officeProcessor, damaged).catch((error: unknown) => error)
        if (outcome instanceof Error)
          expect(outcome).toMatchObject({ kind: expect.stringMatching(/^(?:invalid|unsupported)$/) })
      }),
    )
  })

  it('in the container of encrypted or old documents are told apart', async () => {
    const compound = (name: string) => {
      const bytes = Buffer.alloc(2_048)
      Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(bytes)
      bytes[0x1e] = 9
      bytes.write(name, 512 + 128, 'utf16le')
      return new Uint8Array(bytes)
    }
    await expect(collect(officeProcessor, compound('EncryptedPackage'))).rejects.toMatchObject({ code: 'encrypted' })
    await expect(collect(officeProcessor, compound('WordDocument'))).rejects.toMatchObject({ code: 'unsupported-type' })
  })

  it('keep the place of what they hold', async () => {
    const collected = await collect(officeProcessor, docx(paragraph('One.') + paragraph('Two.')))
    expect(documentsOf(collected)).toEqual(['One. Two. A note on clay.'])
    expect(metadatasOf(collected)[0]).toMatchObject({ paragraph_start: 1 })
  })
})
