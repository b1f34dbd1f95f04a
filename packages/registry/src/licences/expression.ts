/**
 * Licence expressions: SPDX 2.3, annex D, plus the names that model hubs use beside it. Hubs write SPDX ids in lower case and
 * have names of their own for licences that SPDX does not list (`openrail`, `llama3`, `other`).
 */
import parse, { type ParsedExpression } from 'spdx-expression-parse'
import deprecated from 'spdx-license-ids/deprecated.json' with { type: 'json' }
import current from 'spdx-license-ids/index.json' with { type: 'json' }
import { namedLicence } from './named.ts'

export type LicenceExpression =
  /** `id` is an SPDX id with its `-only` or `-or-later`, or a name of `named.ts`. */
  | { kind: 'licence'; id: string; exception?: string }
  | { kind: 'and' | 'or'; left: LicenceExpression; right: LicenceExpression }

const MAX_CHARACTERS = 1_000
const spelling = new Map([...deprecated, ...current].map((id) => [id.toLowerCase(), id]))

/** Undefined: the text names no licence that SPDX or `named.ts` knows. */
export function parseLicence(text: string): LicenceExpression | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > MAX_CHARACTERS) return undefined
  const named = namedLicence(trimmed)
  if (named !== undefined) return { kind: 'licence', id: named.id }
  try {
    return fromParsed(parse(respelled(trimmed)))
  } catch {
    // Any failure of the parser means the same: this is no expression.
    return undefined
  }
}

/** Written as SPDX does: AND binds tighter than OR. */
export function licenceText(expression: LicenceExpression): string {
  if (expression.kind === 'licence') {
    return expression.exception === undefined ? expression.id : `${expression.id} WITH ${expression.exception}`
  }
  const side = (part: LicenceExpression) =>
    expression.kind === 'and' && part.kind === 'or' ? `(${licenceText(part)})` : licenceText(part)
  return `${side(expression.left)} ${expression.kind.toUpperCase()} ${side(expression.right)}`
}

/** Ids in SPDX's spelling and operators in capitals; the parser accepts nothing else. */
function respelled(text: string): string {
  return text.replaceAll(/[^\s()+]+/g, (word) => {
    const upper = word.toUpperCase()
    if (upper === 'AND' || upper === 'OR' || upper === 'WITH') return upper
    return spelling.get(word.toLowerCase()) ?? word
  })
}

function fromParsed(parsed: ParsedExpression): LicenceExpression {
  if ('conjunction' in parsed) {
    return { kind: parsed.conjunction, left: fromParsed(parsed.left), right: fromParsed(parsed.right) }
  }
  const id = withVersionRule(parsed.license, parsed.plus === true)
  return { kind: 'licence', id, ...(parsed.exception !== undefined && { exception: parsed.exception }) }
}

/** SPDX deprecated `GPL-3.0` and `GPL-3.0+`. The bare form promises no later version, so it is read as `-only`. */
function withVersionRule(id: string, orLater: boolean): string {
  if (!/^(?:A|L)?GPL-\d|^GFDL-\d/.test(id)) return orLater ? `${id}+` : id
  if (/-(?:only|or-later)$/.test(id)) return orLater ? id.replace(/-only$/, '-or-later') : id
  return `${id.replace(/\+$/, '')}${orLater || id.endsWith('+') ? '-or-later' : '-only'}`
}
