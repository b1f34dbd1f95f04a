/** Small changes to a source, one at a time, each of which a test should notice. */
import { parseAst } from 'rolldown/parseAst'

/** Replaces `source.slice(start, end)` by `text`. */
export interface Mutation {
  kind: string
  start: number
  end: number
  text: string
}

interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

const SWAPS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>>'],
  '>>>': ['<<'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '??=': ['='],
  '++': ['--'],
  '--': ['++'],
}
const OTHER_METHOD: Readonly<Record<string, string>> = { some: 'every', every: 'some', min: 'max', max: 'min' }
/** Methods whose call may be replaced by the object itself. */
const OPTIONAL_METHODS = new Set(['sort', 'toSorted', 'reverse', 'toReversed', 'filter', 'slice', 'copy'])
/** Functions whose results are texts for people. */
const MESSAGES =
  /^(?:[A-Z]\w*Error|Error|invalid|corrupt|conflict|notFound|unavailable|unsupported|forbidden|fail|problem)$/
/** Larger numbers at the top of a module are tuning constants, not conditions. */
const LARGEST_CONDITION = 8

/** All mutations of a TypeScript module, in the order of their places. */
export function mutationsOf(source: string): Mutation[] {
  const found: Mutation[] = []
  const add = (kind: string, { start, end }: Pick<Node, 'start' | 'end'>, text: string) => {
    if (source.slice(start, end) !== text) found.push({ kind, start, end, text })
  }
  const textOf = ({ start, end }: Node) => source.slice(start, end)
  visit(parseAst(source, { lang: 'ts' }) as unknown as Node, add, textOf)
  return found.sort((a, b) => a.start - b.start || a.end - b.end || (a.text < b.text ? -1 : 1))
}

type Add = (kind: string, place: Pick<Node, 'start' | 'end'>, text: string) => void
type TextOf = (node: Node) => string

function visit(node: Node, add: Add, textOf: TextOf): void {
  if (isTypeOnly(node) || isMessage(node, textOf)) return
  mutate(node, add, textOf)
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, add, textOf)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

function isTypeOnly({ type }: Node): boolean {
  if (type === 'ImportDeclaration' || type === 'ExportAllDeclaration') return true
  return type.startsWith('TS') && !/^TS(?:As|NonNull|Satisfies)/.test(type)
}

function isMessage(node: Node, textOf: TextOf): boolean {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false
  return MESSAGES.test(textOf(node['callee'] as Node))
}

function mutate(node: Node, add: Add, textOf: TextOf): void {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression': {
      const [left, right, operator] = [node['left'] as Node, node['right'] as Node, String(node['operator'])]
      // Only the operator, brackets and white space are between the operands.
      for (const other of SWAPS[operator] ?? [])
        add(`${operator} to ${other}`, node, textOf(node).replace(operatorAfter(node, left, operator), other))
      if (operator === '??') {
        add('without ??', node, textOf(left))
        add('after ??', node, textOf(right))
      }
      return
    }
    case 'UpdateExpression': {
      const operator = String(node['operator'])
      add(`${operator} turned`, node, textOf(node).replace(operator, (SWAPS[operator] as string[])[0] as string))
      return
    }
    case 'UnaryExpression':
      if (node['operator'] === '!' || node['operator'] === '-')
        add(`without ${node['operator']}`, node, textOf(node['argument'] as Node))
      return
    case 'Literal':
      literal(node, add)
      return
    case 'ConditionalExpression':
      add('always the first', node, textOf(node['consequent'] as Node))
      add('always the second', node, textOf(node['alternate'] as Node))
      return
    case 'IfStatement': {
      const test = node['test'] as Node
      add('never', test, 'false')
      add('always', test, 'true')
      return
    }
    case 'ContinueStatement':
      add('continue to break', node, 'break')
      return
    case 'ExpressionStatement':
      if (/^(?:Call|Await|Assignment|Update)/.test((node['expression'] as Node).type))
        add('statement removed', node, ';')
      return
    case 'CallExpression':
      call(node, add, textOf)
      return
    default:
  }
}

/** Finds the operator after the left operand, even if that operand contains the same sign. */
function operatorAfter(node: Node, left: Node, operator: string): RegExp {
  const escaped = operator.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<=^[\\s\\S]{${left.end - node.start}}[\\s)]*)${escaped}`)
}

function literal(node: Node, add: Add): void {
  const { value } = node
  if (typeof value === 'boolean') add('boolean turned', node, String(!value))
  if (typeof value !== 'number' || !Number.isInteger(value) || value > LARGEST_CONDITION) return
  add('one more', node, String(value + 1))
  if (value > 0) add('one less', node, String(value - 1))
}

function call(node: Node, add: Add, textOf: TextOf): void {
  const callee = node['callee'] as Node
  const given = node['arguments'] as Node[]
  const [first, second] = given
  if (first && second && first.type === 'Identifier' && second.type === 'Identifier')
    add('arguments swapped', { start: first.start, end: second.end }, `${textOf(second)}, ${textOf(first)}`)
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return
  const property = callee['property'] as Node
  const method = textOf(property)
  const other = OTHER_METHOD[method]
  if (other !== undefined) add(`${method} to ${other}`, property, other)
  if (OPTIONAL_METHODS.has(method)) add(`without ${method}`, node, textOf(callee['object'] as Node))
  if (method === 'slice' && first && !second) add('slice turned', first, `-(${textOf(first)})`)
}
