/**
 * Checks every import of the repository against `rules.ts`: rooms point one way, packages use each other's named faces,
 * imports form no circles (imports of types included), the code that a read needs uses nothing of Node, an `index.ts` only
 * re-exports, and files stay small.
 */
import { dirname, join } from 'node:path'
import { codeOf, importsOf, isTest } from './imports.ts'
import {
  BY_RUNTIME,
  MACHINE,
  MAX_LINES,
  NODE_GLOBALS,
  NODE_ONLY,
  ONLY,
  PACKAGES,
  PORTABLE,
  ROOMS,
  TEST_IMPORTS,
} from './rules.ts'

export interface Source {
  /** Path relative to the repository, with `/`. */
  path: string
  text: string
}

export interface Problem {
  path: string
  line: number
  message: string
}

type Graph = Map<string, { to: string; line: number }[]>

const CORE = 'packages/siltstone/src/'

export function check(sources: readonly Source[]): Problem[] {
  const paths = new Set(sources.map(({ path }) => path))
  const graph: Graph = new Map()
  const problems = sources.flatMap((source) => checkSource(source, paths, graph))
  return [...problems, ...circles(graph)]
}

function checkSource({ path, text }: Source, paths: ReadonlySet<string>, graph: Graph): Problem[] {
  const problems: Problem[] = []
  const report = (line: number, message: string) => problems.push({ path, line, message })
  const home = PACKAGES.find(({ folder }) => path.startsWith(`${folder}/`))
  if (!home) {
    report(1, 'is in no package: add its folder to PACKAGES in scripts/layers/rules.ts')
    return problems
  }
  const test = isTest(path) || home.folder === 'test'
  const room = path.startsWith(CORE) ? roomOf(path.slice(CORE.length)) : undefined
  if (!test) {
    const lines = text.split('\n').length
    if (lines > MAX_LINES)
      report(MAX_LINES, `has ${lines} lines; more than ${MAX_LINES} hold more than one idea: split it`)
    if (path.endsWith('/index.ts') && path.startsWith('packages/') && !isReExport(text))
      report(1, 'does more than re-export: move that into a module with a name')
    if (path.startsWith(CORE) && !room) report(1, 'is in no room: add its folder to ROOMS in scripts/layers/rules.ts')
    if (isPortable(path)) problems.push(...globalProblems(path, text))
  }
  graph.set(path, [])
  for (const { line, specifier, dynamic } of importsOf(text)) {
    if (specifier.startsWith('.')) {
      const to = join(dirname(path), specifier).replaceAll('\\', '/')
      if (!to.startsWith(`${home.folder}/`)) {
        if (/\.[cm]?tsx?$/.test(to)) report(line, `imports ${to}: another package is imported by its name`)
        continue
      }
      if (!paths.has(to)) continue
      graph.get(path)?.push({ to, line })
      if (test) continue
      if (isByRuntime(to)) report(line, `imports ${to}: the runtime chooses, import it by its name with #`)
      if (isTest(to)) report(line, `imports ${to}: product code does not import tests`)
      if (room && !isTest(to)) problems.push(...roomProblem(path, line, room, to))
    } else if (specifier.startsWith('#')) {
      const inner = BY_RUNTIME.get(specifier)
      if (inner === undefined || !room)
        report(line, `imports ${specifier}: add it to BY_RUNTIME in scripts/layers/rules.ts`)
      else if (!test) {
        graph.get(path)?.push({ to: `${CORE}${inner}`, line })
        problems.push(...roomProblem(path, line, room, `${CORE}${inner}`))
      }
    } else {
      const face = PACKAGES.some(
        ({ name }) => name !== undefined && (specifier === name || specifier.startsWith(`${name}/`)),
      )
      const allowed = [...home.imports, ...(test ? TEST_IMPORTS : [])]
      if (face && !allowed.includes(specifier) && !(dynamic && room === 'cli'))
        report(line, `imports ${specifier}: ${home.folder} may import ${allowed.join(', ') || 'no other package'}`)
      if (room && !test) problems.push(...moduleProblem(path, line, room, specifier))
    }
  }
  return problems
}

function roomOf(inner: string): string | undefined {
  const rooms = ROOMS.flat().filter((room) => inner === room || inner.startsWith(`${room}/`))
  return rooms.toSorted((a, b) => b.length - a.length)[0]
}

const rowOf = (room: string): number => ROOMS.findIndex((row) => row.includes(room))

function roomProblem(path: string, line: number, room: string, to: string): Problem[] {
  const target = roomOf(to.slice(CORE.length))
  if (target === undefined || target === room) return []
  const only = ONLY.get(room)
  if (only && !only.some((allowed) => target === allowed || target.startsWith(`${allowed}/`)))
    return [{ path, line, message: `imports ${to}: ${room} may import ${only.join(', ')}` }]
  if (rowOf(target) < rowOf(room)) return []
  const message = `imports ${to}: ${room} lies below or beside ${target}; move the code down or pass it in`
  return [{ path, line, message }]
}

function isPortable(path: string): boolean {
  if (NODE_ONLY.some((inner) => path === `${CORE}${inner}`)) return false
  return PORTABLE.some((part) => path.startsWith(`${CORE}${part}${part.endsWith('.ts') ? '' : '/'}`))
}

function isByRuntime(path: string): boolean {
  return [...BY_RUNTIME.values(), ...NODE_ONLY].some((inner) => path === `${CORE}${inner}`)
}

const GLOBAL = new RegExp(String.raw`(?<![.\w$#-])(?:${NODE_GLOBALS.join('|')})(?![\w$-])(?!\??:)`, 'g')

function globalProblems(path: string, text: string): Problem[] {
  const code = codeOf(text)
  return [...code.matchAll(GLOBAL)].map(({ 0: name, index }) => ({
    path,
    line: code.slice(0, index).split('\n').length,
    message: `uses ${name}: a read must run without Node; add a function to the codec or a port`,
  }))
}

function moduleProblem(path: string, line: number, room: string, specifier: string): Problem[] {
  if (NODE_ONLY.some((inner) => path === `${CORE}${inner}`)) return []
  if (isPortable(path) && specifier.startsWith('node:'))
    return [{ path, line, message: `imports ${specifier}: ${room} must run without Node` }]
  const rules = MACHINE.filter(({ modules }) => modules.test(specifier))
  if (rules.length === 0 || rules.some(({ rooms }) => rooms.includes(room))) return []
  const message = `imports ${specifier}: only ${rules.flatMap(({ rooms }) => rooms).join(', ')} may; use or add a port`
  return [{ path, line, message }]
}

function isReExport(text: string): boolean {
  const rest = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"][^'"]+['"]\s*;?/g, '')
  return rest.trim() === ''
}

function circles(graph: Graph): Problem[] {
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
