/** The package has no types of its own. */
declare module 'spdx-expression-parse' {
  interface ParsedLicence {
    license: string
    plus?: true
    exception?: string
  }
  interface ParsedPair {
    conjunction: 'and' | 'or'
    left: ParsedExpression
    right: ParsedExpression
  }
  type ParsedExpression = ParsedLicence | ParsedPair
  /** @throws Error if the text is no SPDX expression */
  export default function parse(expression: string): ParsedExpression
}
