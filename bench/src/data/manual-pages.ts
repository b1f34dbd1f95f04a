/**
 * Paragraphs of the manual pages of this machine, and queries for them: the one-line description of a page, which stands in its
 * section NAME, asks for the paragraphs of that page, which do not contain that section. Paragraphs are deduplicated; sections that
 * name people, other pages or only options in short (SYNOPSIS) are left out, and so are pages of `gcloud`, which are thousands
 * alike. The formatting of man and mdoc pages is removed by rules, not interpreted.
 */
import { lstatSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { seededRandom } from 'siltstone/internal'

const DIRECTORY = '/usr/share/man'
const LEAST_CHARACTERS = 80
const MOST_CHARACTERS = 1_500
const MOST_PAGE_BYTES = 400_000
const SKIPPED = new Set(['NAME', 'SEE ALSO', 'AUTHOR', 'AUTHORS', 'COPYRIGHT', 'SYNOPSIS'])
/** Macros whose arguments are text. */
const TEXT =
  /^(?:B|I|BR|RB|BI|IB|IR|RI|SM|SB|Nm|Fl|Ar|Pa|Xr|Em|Li|Dv|Ev|Cm|Ic|Sy|Va|Fa|Fn|Ft|Vt|Op|Dq|Sq|Pq|Ql|Tn|Sx|An|Qq|Er)$/
const PARAGRAPH = /^(?:PP|P|LP|TP|IP|HP|TQ|RS|RE|SS|Pp|It|Ss|sp|Bl|El|Bd|Ed)$/

export interface ManualPages {
  documents: { id: string; text: string }[]
  /** `page`: ids of its documents begin with it and `#`. */
  queries: { text: string; page: string }[]
}

/** @returns undefined if this machine has no manual pages @param queries the most queries */
export function loadManualPages(queries: number): ManualPages | undefined {
  if (!existsSync(DIRECTORY)) return undefined
  const seen = new Set<string>()
  const descriptions = new Map<string, { text: string; page: string; paragraphs: number }[]>()
  const documents: ManualPages['documents'] = []
  for (const path of pagePaths()) {
    const page = path.name.replace(/\.gz$/, '')
    const read = readPage(path.file)
    if (!read) continue
    const own = read.paragraphs.filter((text) => !seen.has(text) && seen.add(text))
    own.forEach((text, i) => documents.push({ id: `${page}#${i}`, text }))
    const alike = descriptions.get(read.description.toLowerCase()) ?? []
    descriptions.set(read.description.toLowerCase(), alike)
    alike.push({ text: read.description, page, paragraphs: own.length })
  }
  const random = seededRandom(1)
  const asked = [...descriptions.values()]
    .flatMap(([only, ...others]) => (only && others.length === 0 ? [only] : []))
    .filter(({ text, paragraphs }) => paragraphs >= 2 && text.split(' ').length >= 3)
    .map((query) => ({ query, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, queries)
    .map(({ query: { text, page } }) => ({ text, page }))
  return documents.length === 0 ? undefined : { documents, queries: asked }
}

function pagePaths(): { name: string; file: string }[] {
  return ['1', '2', '3', '4', '5', '6', '7', '8'].flatMap((section) => {
    const folder = join(DIRECTORY, `man${section}`)
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((name) => !name.startsWith('gcloud') && lstatSync(join(folder, name)).isFile())
      .sort()
      .map((name) => ({ name, file: join(folder, name) }))
  })
}

function readPage(file: string): { description: string; paragraphs: string[] } | undefined {
  const stored = readFileSync(file)
  const bytes = file.endsWith('.gz') ? gunzipSync(stored) : stored
  if (bytes.length > MOST_PAGE_BYTES) return undefined
  const { name, paragraphs } = readSource(bytes.toString('utf8'))
  const [, description] = /^.*?\s+-+\s+(.*)$/.exec(name) ?? []
  return description === undefined || paragraphs.length === 0 ? undefined : { description, paragraphs }
}

/** The paragraphs of one page. @param source in man or mdoc */
export function manualPageParagraphs(source: string): string[] {
  return readSource(source).paragraphs
}

function readSource(source: string): { name: string; paragraphs: string[] } {
  const paragraphs: string[] = []
  const name: string[] = []
  let section = ''
  let words: string[] = []
  const end = () => {
    const text = words.join(' ').replace(/\s+/g, ' ').trim()
    if (!SKIPPED.has(section) && text.length >= LEAST_CHARACTERS) paragraphs.push(text.slice(0, MOST_CHARACTERS))
    words = []
  }
  for (const line of source.split('\n')) {
    const [, macro, rest = ''] = /^[.']\s*([A-Za-z]+)\s*(.*)$/.exec(line) ?? []
    const text = withoutEscapes(macro === undefined ? line : rest.replaceAll('"', ''))
    if (macro === undefined) {
      if (!line.startsWith('.') && !line.startsWith("'")) (section === 'NAME' ? name : words).push(text)
    } else if (macro === 'SH' || macro === 'Sh') {
      end()
      section = text.trim().toUpperCase()
    } else if (PARAGRAPH.test(macro)) end()
    else if (macro === 'Nd') name.push(`- ${text}`)
    else if (TEXT.test(macro)) (section === 'NAME' ? name : words).push(text)
  }
  end()
  return { name: name.join(' ').replace(/\s+/g, ' ').trim(), paragraphs }
}

function withoutEscapes(text: string): string {
  return text
    .replace(/\\f(?:\(..|\[[^\]]*\]|.)|\\s[-+]?\d+|\\\*(?:\(..|\[[^\]]*\]|.)/g, '')
    .replace(/\\(?:\(|\[)e[mn]\]?|\\-/g, '-')
    .replace(/\\[&|^/,%:cdu ]|\\[nkhvwlLzxoH]'[^']*'|\\".*$/g, '')
    .replace(/\\(?:\[[^\]]*\]|\(..)/g, ' ')
    .replaceAll('\\e', '\\')
}
