/**
 * Checks that layers point one way, that there are no circles of imports, that an `index.ts` only re-exports, and that
 * files stay small. `npm run layers`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Low to high. A folder may import from its own row's earlier rows and from itself; folders of one row do not know each other. */
export const ORDER: readonly (readonly string[])[] = [
  ['errors.ts', 'version.ts', 'binary-search.ts'],
  ['kernels', 'platform'],
  ['format', 'cost'],
  ['ivf'],
  ['records'],
  ['filter'],
  ['embed'],
  ['catalog', 'snapshot'],
  ['filter-index'],
  ['log'],
  ['compact', 'query'],
  ['engine'],
  ['library', 'ingest'],
  ['migrate'],
  ['index.ts'],
  ['chroma'],
  ['server'],
  ['cli'],
]

/** Pure contracts: types that any layer may name. */
export const CONTRACTS: ReadonlySet<string> = new Set(['records/types.ts', 'filter/types.ts', 'engine/types.ts'])

/** Modules of the machine: only `platform/` may import them. */
const MACHINE =
  /^(?:node:(?:fs|fs\/promises|os|net|http|https|child_process|worker_threads|sqlite|timers|timers\/promises|dgram|dns|cluster|readline|readline\/promises)|@aws-sdk\/.*)$/

/** The one place that listens. */
const MAY: ReadonlyMap<string, ReadonlySet<string>> = new Map([['server', new Set(['node:http'])]])

export const MAX_LINES = 400

export interface Source {
  /** Relative to the checked root, with `/`. */
  path: string
  text: string
}

export interface Problem {
  path: string
  line: number
  message: string
}

interface Import {
  line: number
  specifier: string
  typeOnly: boolean
}

export function importsOf(text: string): Import[] {
  const found: Import[] = []
  const pattern =
    /^[ \t]*(import|export)(\s+type\b)?(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  for (const match of text.matchAll(pattern)) {
    const specifier = match[3] ?? match[4]
    if (specifier === undefined) continue
    found.push({ line: text.slice(0, match.index).split('\n').length, specifier, typeOnly: match[2] !== undefined })
  }
  return found
}

export const isTest = (path: string): boolean =>
  /\.(?:test|contract|child)\.ts$/.test(path) || /(?:^|\/)(?:testing|contract)(?:\/|\.ts$)/.test(path)

function layerOf(path: string): { row: number; name: string } | undefined {
  const name = path.includes('/') ? (path.split('/')[0] as string) : path
  const row = ORDER.findIndex((names) => names.includes(name))
  return row < 0 ? undefined : { row, name }
}

export function check(sources: readonly Source[]): Problem[] {
  const problems: Problem[] = []
  const paths = new Set(sources.map(({ path }) => path))
  const graph = new Map<string, { to: string; line: number }[]>()
  for (const { path, text } of sources) {
    if (isTest(path)) continue
    const lines = text.split('\n').length
    if (lines > MAX_LINES)
      problems.push({
        path,
        line: MAX_LINES,
        message: `has ${lines} lines; more than ${MAX_LINES} hold more than one idea: split it`,
      })
    if (path.endsWith('/index.ts')) problems.push(...indexProblems(path, text))
    const from = layerOf(path)
    if (!from) {
      problems.push({ path, line: 1, message: 'is in no layer: add its folder to ORDER in scripts/layers.ts' })
      continue
    }
    const edges: { to: string; line: number }[] = []
    graph.set(path, edges)
    for (const { line, specifier, typeOnly } of importsOf(text)) {
      if (!specifier.startsWith('.')) {
        if (MACHINE.test(specifier) && from.name !== 'platform' && !MAY.get(from.name)?.has(specifier))
          problems.push({
            path,
            line,
            message: `imports ${specifier}: only platform/ touches the machine; use or add a port there`,
          })
        continue
      }
      const to = join(dirname(path), specifier).replaceAll('\\', '/')
      if (!paths.has(to)) continue
      if (isTest(to)) {
        problems.push({ path, line, message: `imports ${to}: product code does not import tests` })
        continue
      }
      if (!typeOnly) edges.push({ to, line })
      const target = layerOf(to)
      if (!target || CONTRACTS.has(to) || target.name === from.name) continue
      if (target.row >= from.row)
        problems.push({
          path,
          line,
          message: `imports ${to}: ${from.name} lies below or beside ${target.name}; move the code down or pass it in`,
        })
    }
  }
  problems.push(...circles(graph))
  return problems
}

function indexProblems(path: string, text: string): Problem[] {
  const rest = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"][^'"]+['"]\s*;?/g, '')
    .trim()
  return rest === ''
    ? []
    : [{ path, line: 1, message: 'does more than re-export: move that into a module with a name' }]
}

function circles(graph: ReadonlyMap<string, readonly { to: string; line: number }[]>): Problem[] {
  const problems: Problem[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (path: string, trail: readonly string[]): void => {
    state.set(path, 'open')
    for (const { to, line } of graph.get(path) ?? []) {
      if (state.get(to) === 'open') {
        const circle = [...trail.slice(trail.indexOf(to)), to]
        problems.push({ path, line, message: `closes a circle of imports: ${circle.join(' → ')}` })
      } else if (!state.has(to)) visit(to, [...trail, to])
    }
    state.set(path, 'done')
  }
  for (const path of graph.keys()) if (!state.has(path)) visit(path, [path])
  return problems
}

export function readSources(root: string): Source[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../packages/siltstone/src/', import.meta.url))
  const problems = check(readSources(root))
  for (const { path, line, message } of problems) console.error(`packages/siltstone/src/${path}:${line} ${message}`)
  console.log(problems.length === 0 ? 'layers: in order' : `layers: ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
