/** The imports of a module, read from its text. */
export interface Import {
  line: number
  specifier: string
  typeOnly: boolean
  /** `import('…')`, which is evaluated when execution reaches it. */
  dynamic: boolean
}

const PATTERN =
  /^[ \t]*(import|export)(\s+type\b)?(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

export function importsOf(text: string): Import[] {
  const found: Import[] = []
  for (const match of text.matchAll(PATTERN)) {
    const specifier = match[3] ?? match[4]
    if (specifier === undefined) continue
    found.push({
      line: text.slice(0, match.index).split('\n').length,
      specifier,
      typeOnly: match[2] !== undefined,
      dynamic: match[4] !== undefined,
    })
  }
  return found
}

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/y
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y
/** What precedes a slash that begins a regular expression rather than divides. */
const BEFORE_REGEX = /(?:^|[=(,:[!&|?{};+]|\breturn)\s*$/
/** From a backquote, or from the brace that ends a substitution, to a backquote or the next substitution. */
const TEMPLATE = /[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y

/** The text without comments, strings, templates and regular expressions, which become blanks; line breaks stay. */
export function codeOf(text: string): string {
  /** Number of open braces within each open substitution of a template. */
  const substitutions: number[] = []
  let code = ''
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length
    return pattern.exec(text)?.[0]
  }
  const template = (): string | undefined => {
    const ends = text[code.length] === '}'
    if (ends && substitutions.at(-1) !== 0) return undefined
    const found = match(TEMPLATE)
    if (found !== undefined && ends) substitutions.pop()
    if (found?.endsWith('${')) substitutions.push(0)
    return found
  }
  while (code.length < text.length) {
    const character = text[code.length] as string
    const skipped =
      match(COMMENT) ??
      match(STRING) ??
      (character === '/' && BEFORE_REGEX.test(code.slice(-80)) ? match(REGEX) : undefined) ??
      template()
    if (skipped !== undefined) {
      code += skipped.replaceAll(/[^\n]/g, ' ')
      continue
    }
    const open = substitutions.length - 1
    if (open >= 0 && character === '{') substitutions[open] = (substitutions[open] as number) + 1
    if (open >= 0 && character === '}') substitutions[open] = (substitutions[open] as number) - 1
    code += character
  }
  return code
}

/** Tests, contract suites, and modules that only they use. */
export const isTest = (path: string): boolean =>
  /\.(?:test|contract|child)\.ts$/.test(path) ||
  /(?:^|\/)(?:testing|contract|test)(?:\/|\.ts$)/.test(path) ||
  path.startsWith('packages/infra/applied/')
