/**
 * Makes a corpus of a million short documents: the paragraphs of the packages of Debian that `debian-packages.txt` names (HTML
 * documentation and manual pages) and of the manual pages of this machine, each text once, in the order of a hash of the text, so that
 * the first n are a sample of all. Packages are fetched by `apt-get download` and unpacked by `dpkg-deb`; nothing is installed.
 *
 *     npm run bench:corpus [-- FOLDER]
 *
 * FOLDER (default: a folder in the git-ignored .data) keeps the packages, so that a second run fetches nothing.
 * Writes .data/sets/paragraphs.jsonl, a JSON string per line, and prints counts.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { htmlParagraphs } from '../data/html-paragraphs.ts'
import { manualPageParagraphs } from '../data/manual-pages.ts'
import { PARAGRAPHS, SCRATCH, SETS } from '../places.ts'

const MOST_FILE_BYTES = 4_000_000
const folder = process.argv[2] ?? join(SCRATCH, 'debian')
const downloads = join(folder, 'debs')
const unpacked = join(folder, 'x')

function fetchPackages(names: readonly string[]): void {
  mkdirSync(downloads, { recursive: true })
  const there = new Set(readdirSync(downloads).map((file) => file.split('_')[0] as string))
  const missing = names.filter((name) => !there.has(name))
  if (missing.length > 0) execFileSync('apt-get', ['download', ...missing], { cwd: downloads, stdio: 'inherit' })
}

function unpack(): void {
  mkdirSync(unpacked, { recursive: true })
  for (const file of readdirSync(downloads).sort()) {
    const target = join(unpacked, file.split('_')[0] as string)
    if (existsSync(target)) continue
    mkdirSync(target)
    // Pictures and programs of the packages would fill the disk.
    const some = ['*.html', '*.htm', '*.xhtml', '*.gz'].map((name) => `'${name}'`).join(' ')
    const command = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards --no-anchored ${some} || true`
    execFileSync('sh', ['-c', command, 'sh', join(downloads, file), target], { stdio: ['ignore', 'inherit', 'ignore'] })
  }
}

function* filesUnder(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* filesUnder(path)
    else if (entry.isFile()) yield path
  }
}

/** Translations: the corpus is English. */
const OTHER_LANGUAGE =
  /\/(?:ar|ca|cs|da|de|el|es|eu|fa|fi|fr|gl|hr|hu|id|it|ja|ko|lt|nb|nl|no|pl|pt|ro|ru|sk|sl|sr|sv|tr|uk|vi|zh)(?:[-_][A-Za-z]{2,4})?\//

function paragraphsOf(path: string): string[] {
  if (OTHER_LANGUAGE.test(path)) return []
  const isManual = /\/man\d\/[^/]+\.\d[^/]*$/.test(path)
  if (!isManual && !/\.x?html?(\.gz)?$/i.test(path)) return []
  if (statSync(path).size > MOST_FILE_BYTES) return []
  const stored = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(stored) : stored).toString('utf8')
  return isManual ? manualPageParagraphs(text) : htmlParagraphs(text)
}

const names = readFileSync(new URL('debian-packages.txt', import.meta.url), 'utf8')
  .split(/\s+/)
  .filter(Boolean)
fetchPackages(names)
unpack()
const texts = new Map<string, string>()
let files = 0
let found = 0
for (const root of [unpacked, '/usr/share/man']) {
  if (!existsSync(root)) continue
  for (const path of filesUnder(root)) {
    const paragraphs = paragraphsOf(path)
    if (paragraphs.length > 0) files++
    found += paragraphs.length
    for (const text of paragraphs) texts.set(createHash('sha1').update(text).digest('base64'), text)
  }
}
mkdirSync(SETS, { recursive: true })
const file = openSync(PARAGRAPHS, 'w')
let bytes = 0
for (const key of [...texts.keys()].sort()) {
  const text = texts.get(key) as string
  bytes += Buffer.byteLength(text)
  writeSync(file, `${JSON.stringify(text)}\n`)
}
closeSync(file)
console.log(
  `${files} files, ${found} paragraphs, ${texts.size} different ones of ${(bytes / 1e6).toFixed(1)} MB: ${PARAGRAPHS}`,
)
