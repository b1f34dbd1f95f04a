/** Writes small PDFs (ISO 32000-1): lines in Helvetica at places, pictures, and an outline. */
export interface PdfLine {
  text: string
  /** Height of the letters, in points. */
  size: number
  x: number
  /** Baseline, in points from the lower edge. */
  y: number
  /** Degrees counter-clockwise; default 0. */
  turn?: 0 | 90 | 180 | 270
}

export interface PdfOptions {
  outline?: readonly { title: string; page: number }[]
  title?: string
  /** Adds an encryption dictionary that no password opens. */
  isLocked?: boolean
  /** Text fields, on the first page. */
  fields?: readonly { name: string; value: string }[]
  /** By page, from 1: a picture that fills it, as a scanner makes it. */
  pictures?: ReadonlyMap<number, { width: number; height: number; jpeg: Uint8Array }>
}

export function writePdf(
  pages: readonly (readonly PdfLine[])[],
  { outline = [], title = '', isLocked = false, fields = [], pictures = new Map() }: PdfOptions = {},
): Uint8Array {
  const escaped = (text: string) => text.replaceAll(/[\\()]/g, String.raw`\$&`)
  const firstPage = 5
  const firstOutline = firstPage + pages.length * 2
  const firstPicture = firstOutline + (outline.length > 0 ? outline.length + 1 : 0)
  const firstField = firstPicture + pictures.size
  const fieldReferences = fields.map((_, k) => `${firstField + k} 0 R`).join(' ')
  const pictureOf = (page: number) => firstPicture + [...pictures.keys()].indexOf(page)
  const pageOf = (k: number) => firstPage + k * 2
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${outline.length > 0 ? `/Outlines ${firstOutline} 0 R` : ''} ${fields.length > 0 ? `/AcroForm << /Fields [${fieldReferences}] >>` : ''} >>`,
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, k) => `${pageOf(k)} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    `<< /Title (${escaped(title)}) >>`,
  ]
  for (const [k, lines] of pages.entries()) {
    const isPicture = pictures.has(k + 1)
    const content = (isPicture ? ['q 612 0 0 792 0 0 cm /P Do Q'] : [])
      .concat(
        lines.map(({ text, size, x, y, turn = 0 }) => {
          const [cos, sin] = [
            Math.round(Math.cos((turn * Math.PI) / 180)),
            Math.round(Math.sin((turn * Math.PI) / 180)),
          ]
          return `BT /F1 ${size} Tf ${cos} ${sin} ${-sin} ${cos} ${x} ${y} Tm (${escaped(text)}) Tj ET`
        }),
      )
      .join('\n')
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> ${isPicture ? `/XObject << /P ${pictureOf(k + 1)} 0 R >>` : ''} >> /Contents ${pageOf(k) + 1} 0 R ${k === 0 && fields.length > 0 ? `/Annots [${fieldReferences}]` : ''} >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    )
  }
  if (outline.length > 0) {
    const itemOf = (k: number) => firstOutline + 1 + k
    objects.push(
      `<< /Type /Outlines /First ${itemOf(0)} 0 R /Last ${itemOf(outline.length - 1)} 0 R /Count ${outline.length} >>`,
    )
    for (const [k, { title, page }] of outline.entries())
      objects.push(
        `<< /Title (${escaped(title)}) /Parent ${firstOutline} 0 R /Dest [${pageOf(page - 1)} 0 R /Fit] ${k > 0 ? `/Prev ${itemOf(k - 1)} 0 R` : ''} ${k < outline.length - 1 ? `/Next ${itemOf(k + 1)} 0 R` : ''} >>`,
      )
  }
  for (const { width, height, jpeg } of pictures.values())
    objects.push(
      `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n${Buffer.from(jpeg).toString('latin1')}\nendstream`,
    )
  for (const [k, { name, value }] of fields.entries())
    objects.push(
      `<< /Type /Annot /Subtype /Widget /FT /Tx /T (${escaped(name)}) /V (${escaped(value)}) /Rect [100 ${600 - 30 * k} 300 ${620 - 30 * k}] /P ${firstPage} 0 R >>`,
    )
  let text = '%PDF-1.4\n'
  const offsets = objects.map((object, k) => {
    const offset = text.length
    text += `${k + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const key = '00'.repeat(32)
  const lock = isLocked
    ? `/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${key}> /U <${key}> >> /ID [<${key}> <${key}>]`
    : ''
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 4 0 R ${lock} >>\nstartxref\n${text.length}\n%%EOF\n`
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** A page of paragraphs of 11 points, from the top; a line that begins with `# ` is a heading of 18 points. */
export function pageOfText(lines: readonly string[]): PdfLine[] {
  let y = 740
  return lines.map((line) => {
    const isHeading = line.startsWith('# ')
    y -= line === '' ? 20 : isHeading ? 30 : 14
    return { text: isHeading ? line.slice(2) : line, size: isHeading ? 18 : 11, x: 72, y }
  })
}
