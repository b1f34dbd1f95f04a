/** The imports of a module, read from its text. */
export interface Import {
  line: number
  specifier: string
  typeOnly: boolean
  /** `import('…')`: evaluated when it is reached. */
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

/** Tests, contract suites, and what only they use. */
export const isTest = (path: string): boolean =>
  /\.(?:test|contract|child)\.ts$/.test(path) ||
  /(?:^|\/)(?:testing|contract|test)(?:\/|\.ts$)/.test(path) ||
  path.startsWith('packages/infra/applied/')
