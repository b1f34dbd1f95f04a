/** What a module exports, read from declarations as the compiler writes them: names, texts, and the comments before them. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'

export type ExportKind = 'function' | 'class' | 'interface' | 'type' | 'constant'

export interface ApiExport {
  name: string
  kind: ExportKind
  /** Without `export` and `declare`, and without what is private. */
  text: string
  /** The comment, without its stars. */
  doc: string
}

interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

interface Specifier {
  local: { name?: string; value?: string }
  exported: { name?: string; value?: string }
  imported?: { name?: string }
}

const KINDS: Record<string, ExportKind> = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  TSEnumDeclaration: 'type',
  VariableDeclaration: 'constant',
}

/** Reads each file once. */
export class Declarations {
  readonly #files = new Map<string, { text: string; body: Node[] }>()
  /** By the name of a package: where its declarations are. */
  readonly #packages: ReadonlyMap<string, string>

  constructor(packages: ReadonlyMap<string, string> = new Map()) {
    this.#packages = packages
  }

  /** Sorted by name. */
  exportsOf(file: string): ApiExport[] {
    return [...this.#namesOf(file)]
      .sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
      .map(([, one]) => one)
  }

  #namesOf(file: string, seen: ReadonlySet<string> = new Set()): Map<string, ApiExport> {
    const found = new Map<string, ApiExport>()
    if (seen.has(file)) return found
    for (const node of this.#read(file).body) {
      if (node.type === 'ExportAllDeclaration') {
        const target = this.#resolve(file, node['source'])
        const all = target === undefined ? [] : this.#namesOf(target, new Set([...seen, file]))
        for (const [name, one] of all) found.set(name, one)
      } else if (node.type === 'ExportNamedDeclaration') {
        const declared = (node['declaration'] ?? undefined) as Node | undefined
        if (declared !== undefined) for (const name of namesIn(declared)) add(found, this.#one(file, name, name))
        for (const { local, exported } of (node['specifiers'] ?? []) as Specifier[]) {
          const name = textOf(exported)
          const target = node['source'] == null ? file : this.#resolve(file, node['source'])
          if (target !== undefined) add(found, this.#one(target, textOf(local), name))
        }
      }
    }
    return found
  }

  /** The export that a file declares, imports or exports on under a name. */
  #one(file: string, name: string, as: string): ApiExport | undefined {
    const { text, body } = this.#read(file)
    const overloads: Node[] = []
    for (const node of body) {
      const declared = (node.type === 'ExportNamedDeclaration' ? (node['declaration'] ?? node) : node) as Node
      if (KINDS[declared.type] !== undefined && namesIn(declared).includes(name))
        overloads.push({ ...node, declared } as unknown as Node)
    }
    const first = overloads[0] as (Node & { declared: Node }) | undefined
    if (first !== undefined)
      return {
        name: as,
        kind: KINDS[first.declared.type] as ExportKind,
        text: overloads.map((node) => declarationText(text.slice(node.start, node.end))).join('\n'),
        doc: commentBefore(text, first.start),
      }
    for (const node of body) {
      const source = node['source'] ?? undefined
      const target = source === undefined ? undefined : this.#resolve(file, source)
      if (target === undefined) continue
      if (node.type === 'ExportAllDeclaration') {
        const found = this.#namesOf(target).get(name)
        if (found !== undefined) return { ...found, name: as }
      }
      for (const specifier of (node['specifiers'] ?? []) as Specifier[]) {
        const here = node.type === 'ImportDeclaration' ? textOf(specifier.local) : textOf(specifier.exported)
        const there = node.type === 'ImportDeclaration' ? textOf(specifier.imported) : textOf(specifier.local)
        if (here === name) return this.#one(target, there, as)
      }
    }
    return undefined
  }

  #read(file: string): { text: string; body: Node[] } {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    const text = readFileSync(file, 'utf8')
    const read = { text, body: parseAst(text, { lang: 'dts' }, file).body as unknown as Node[] }
    this.#files.set(file, read)
    return read
  }

  #resolve(file: string, source: unknown): string | undefined {
    const specifier = (source as { value: string }).value
    if (!specifier.startsWith('.')) return this.#packages.get(specifier)
    const target = join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts'))
    return existsSync(target) ? target : undefined
  }
}

const textOf = (name: { name?: string; value?: string } | undefined): string => name?.name ?? name?.value ?? ''

function add(found: Map<string, ApiExport>, one: ApiExport | undefined): void {
  if (one !== undefined) found.set(one.name, one)
}

function namesIn(node: Node): string[] {
  if (node.type === 'VariableDeclaration')
    return (node['declarations'] as { id: { name: string } }[]).map(({ id }) => id.name)
  const id = node['id'] as { name: string } | null | undefined
  return id == null ? [] : [id.name]
}

function declarationText(text: string): string {
  return text
    .replace(/^export (?:declare )?|^declare /, '')
    .replaceAll(/^\s*(?:#private;|private (?:static |readonly )*\w+.*;)\n/gm, '')
    .trim()
}

function commentBefore(text: string, at: number): string {
  const before = text.slice(0, at)
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(before)?.[1]
  return comment === undefined ? '' : comment.replaceAll(/^[ \t]*\* ?/gm, '').trim()
}
