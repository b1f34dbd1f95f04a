/** The reference of the API: a page for each face of a published package, made from the compiler's declarations. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type ApiExport, Declarations, type ExportKind } from './declarations.ts'
import { readText, ROOT } from './files.ts'
import type { NavGroup, Page } from './layout.ts'
import { codeBlock, escaped, type Heading, render } from './markdown.ts'

const PACKAGES = ['siltstone', 'reader', 'objects', 'registry', 'processors', 'migrate', 'mcp', 'site'] as const
/** Faces for the packages beside, for tests, and for threads. */
const PRIVATE = /internal|testing|contracts|worker|package\.json|build/

const KINDS: readonly (readonly [ExportKind, string])[] = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['constant', 'Constants'],
  ['interface', 'Interfaces'],
  ['type', 'Types'],
]

interface Face {
  /** As it is imported. */
  specifier: string
  /** Of its declarations. */
  file: string
}

/** Writes the declarations of all packages. @param folder an empty one */
export function writeDeclarations(folder: string): void {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', 'packages/siltstone/tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
}

/** @param folder of `writeDeclarations` */
function facesIn(folder: string): Face[] {
  return PACKAGES.flatMap((name) => {
    const manifest = JSON.parse(readText(`packages/${name}/package.json`)) as {
      name: string
      exports: Record<string, string | { types?: string; default?: string }>
    }
    return Object.entries(manifest.exports).flatMap(([face, target]) => {
      const source = typeof target === 'string' ? target : (target.types ?? target.default ?? '')
      if (PRIVATE.test(face) || !source.endsWith('.ts')) return []
      return [{ specifier: join(manifest.name, face), file: join(folder, name, source.replace(/\.ts$/, '.d.ts')) }]
    })
  })
}

const pageOfFace = (specifier: string) => `api/${specifier.replace('@siltstone/', '').replaceAll('/', '-')}.html`

export function apiReference(folder: string): { pages: Page[]; group: NavGroup } {
  const faces = facesIn(folder)
  const declarations = new Declarations(new Map(faces.map(({ specifier, file }) => [specifier, file])))
  const pages = faces
    .map(({ specifier, file }) => facePage(specifier, declarations.exportsOf(file)))
    .filter((page) => page.headings.length > 0)
  const entries = pages.map(({ path, title }) => ({ title: `<code>${title}</code>`, page: path }))
  return { pages, group: { title: 'API', entries } }
}

function facePage(specifier: string, exports: readonly ApiExport[]): Page {
  const names = new Set(exports.map(({ name }) => name))
  const headings: Heading[] = []
  let html = `<h1><code>${escaped(specifier)}</code></h1>\n<p>What <code>import … from '${escaped(specifier)}'</code> gives, made from its types.</p>\n`
  for (const [kind, title] of KINDS) {
    const own = exports.filter((one) => one.kind === kind)
    if (own.length === 0) continue
    headings.push({ id: title.toLowerCase(), depth: 2, html: title })
    html += `<h2 id="${title.toLowerCase()}">${title}</h2>\n`
    for (const one of own) html += exportHtml(one, names)
  }
  return { path: pageOfFace(specifier), title: escaped(specifier), html, headings, isSearched: true }
}

/** Names are not ids of headings in lower case, so they cannot be met twice. */
const idOf = (name: string) => `export-${name}`

function exportHtml({ name, text, doc }: ApiExport, names: ReadonlySet<string>): string {
  const linked = escaped(text).replaceAll(/\/\*[\s\S]*?\*\/|\b[A-Z]\w+\b/g, (part) =>
    names.has(part) && part !== name ? `<a href="#${idOf(part)}">${part}</a>` : part,
  )
  return `<h3 id="${idOf(name)}"><code>${escaped(name)}</code></h3>\n${docHtml(doc)}${codeBlock(linked, 'ts')}`
}

/** Tags begin a line of their own: `@param name …`, `@returns …`, `@throws …`. */
function docHtml(doc: string): string {
  if (doc === '') return ''
  const markdown = doc
    .replaceAll(/\s@(throws|returns|param)\b/g, '\n@$1')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/^@param (\w+(?:\.\w+)*)/gm, '\n- `$1`:')
    .replaceAll(/^@returns?/gm, '\n- Returns')
    .replaceAll(/^@throws/gm, '\n- Throws')
  const links = { link: (href: string) => href, image: (href: string) => href }
  // Comments have no headings of the page.
  return render(markdown.replaceAll(/^#+ (.+)$/gm, '**$1**'), links).html
}
