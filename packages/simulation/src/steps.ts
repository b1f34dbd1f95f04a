/**
 * Named steps of the source, which mutants break. A comment on the line before a statement, a property or an operand
 * names it:
 *
 *     // step: log-closed-before-deleted
 *     await context.closeLog(info)
 *
 * The step is the outermost syntax node that begins there, so neither formatting nor a change within it matters. At run
 * time it is a comment, so it costs nothing.
 */
import { parseSync } from 'oxc-parser'

/** What stands in the place of a step. */
export type StepChange =
  /**
   * Another expression for what the step assigns, returns or tests: the initial value of `const x = …`, the right side
   * of an assignment, the argument of `return`, the condition of `if`, the value of a property, or the whole operand.
   */
  | { step: string; value: string }
  /** Nothing: the statement or property is left out. */
  | { step: string; drop: true }
  /** Another statement. */
  | { step: string; instead: string }

interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

const MARKER = /^[ \t]*\/\/ step: (\S+)[ \t]*\n/gm

/** The names of the steps that a source marks, in its order. */
export function stepsIn(source: string): string[] {
  return [...source.matchAll(MARKER)].map((match) => match[1] as string)
}

/** @throws Error when the step is not marked exactly once, or is not of a kind that can be changed so */
export function changeStep(source: string, file: string, change: StepChange): string {
  const node = nodeAt(source, file, change.step)
  if ('instead' in change) return replaced(source, node, change.instead)
  // An empty statement or spread is valid in the place of any statement or property.
  if ('drop' in change) return replaced(source, node, isProperty(node) ? '...{}' : ';')
  return replaced(source, valueOf(node, file, change.step), change.value)
}

function replaced(source: string, { start, end }: Node, text: string): string {
  return source.slice(0, start) + text + source.slice(end)
}

function nodeAt(source: string, file: string, step: string): Node {
  const marks = [...source.matchAll(MARKER)].filter((match) => match[1] === step)
  const [mark] = marks
  if (!mark || marks.length > 1) throw new Error(`step ${step} is marked ${marks.length} times in ${file}`)
  const { program, errors, comments } = parseSync(file, source)
  if (errors[0]) throw new Error(`${file} cannot be parsed: ${errors[0].message}`)
  let start = mark.index + mark[0].length
  for (const comment of comments)
    if (source.slice(start, comment.start).trim() === '') start = Math.max(start, comment.end)
  start += source.slice(start).search(/\S/)
  const node = outermostAt(start, program as unknown as Node)
  if (!node) throw new Error(`${file}: no statement, property or operand begins after the mark of step ${step}`)
  return node
}

function outermostAt(start: number, within: Node): Node | undefined {
  for (const child of childrenOf(within)) {
    if (child.start > start || child.end <= start) continue
    return child.start === start ? child : outermostAt(start, child)
  }
  return undefined
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter(
      (value): value is Node => typeof value === 'object' && value !== null && 'type' in value && 'start' in value,
    )
}

function isProperty({ type }: Node): boolean {
  return type === 'Property' || type === 'SpreadElement'
}

function valueOf(node: Node, file: string, step: string): Node {
  const value = directValueOf(node)
  if (value) return value
  throw new Error(`${file}: step ${step} is a ${node.type}, which has no single value to replace`)
}

function directValueOf(node: Node): Node | undefined {
  switch (node.type) {
    case 'ExportNamedDeclaration':
      return directValueOf(node['declaration'] as Node)
    case 'VariableDeclaration': {
      const declarations = node['declarations'] as Node[]
      return declarations.length === 1 ? (declarations[0]?.['init'] as Node) : undefined
    }
    case 'ReturnStatement':
    case 'ThrowStatement':
      return (node['argument'] as Node | null) ?? undefined
    case 'ExpressionStatement': {
      const expression = node['expression'] as Node
      return expression.type === 'AssignmentExpression' ? (expression['right'] as Node) : expression
    }
    case 'IfStatement':
    case 'WhileStatement':
      return node['test'] as Node
    case 'Property':
    case 'PropertyDefinition':
      return node['value'] as Node
    default:
      return node.type.endsWith('Expression') || node.type === 'Identifier' || node.type === 'Literal'
        ? node
        : undefined
  }
}
