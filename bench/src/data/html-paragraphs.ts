/** Paragraphs of the HTML pages of documentation, by rules: what stands between the tags of blocks, without code and navigation. */

const LEAST_CHARACTERS = 60
const MOST_CHARACTERS = 600
const LEAST_WORDS = 9
const REMOVED =
  /<(script|style|pre|nav|header|footer|svg|math|head|noscript|table class="(?:memname|indexsection)")\b[\s\S]*?<\/(?:script|style|pre|nav|header|footer|svg|math|head|noscript|table)\s*>|<!--[\s\S]*?-->/gi
const BLOCKS =
  /<\/?(?:p|div|li|ul|ol|dl|dt|dd|table|thead|tbody|tr|td|th|h[1-6]|section|article|aside|main|body|html|blockquote|figure|figcaption|hr|form|details|summary)\b[^>]*>/gi
const BREAK = '\u0000'
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  copy: '©',
  times: '×',
}

export function htmlParagraphs(html: string): string[] {
  return html
    .replace(REMOVED, BREAK)
    .replace(BLOCKS, BREAK)
    .replace(/<br\s*\/?>/gi, ' ')
    .replace(/<[^>]*>/g, '')
    .split(BREAK)
    .map((piece) => withoutEntities(piece).replace(/\s+/g, ' ').trim())
    .filter(isProse)
    .map((piece) => piece.slice(0, MOST_CHARACTERS))
}

/** Words of letters, not a list of names or numbers. */
function isProse(text: string): boolean {
  if (text.length < LEAST_CHARACTERS) return false
  const words = text.split(' ')
  return (
    words.length >= LEAST_WORDS &&
    words.filter((word) => /^[("'“‘]?\p{L}+[)"'”’.,;:!?]*$/u.test(word)).length * 2 > words.length
  )
}

function withoutEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal, hexadecimal, name: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
    const point = decimal === undefined ? Number.parseInt(hexadecimal as string, 16) : Number(decimal)
    return point > 0 && point < 0x110000 ? String.fromCodePoint(point) : ' '
  })
}
