/**
 * Texts that every match of a regular expression contains, as far as its text shows them simply: stretches of plain
 * characters outside of groups, classes and repetitions (after Cox, "Regular expression matching with a trigram index",
 * 2012). Fewer than there are is right, only slower.
 */
export function requiredLiterals(pattern: string): string[] {
  // Alternatives, flags and quoting change what a character means.
  if (/\||\(\?|\\Q/.test(pattern)) return []
  const found: string[] = []
  let run = ''
  let depth = 0
  const end = () => {
    if (run.length >= 3) found.push(run)
    run = ''
  }
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string
    if (character === '[') {
      end()
      i = classEnd(pattern, i)
    } else if (character === '(') {
      end()
      depth++
    } else if (character === ')') {
      end()
      depth--
    } else if (depth > 0) {
      if (character === '\\') i++
    } else if (/[?*{]/.test(character)) {
      // What stands before it may be absent.
      run = run.slice(0, -1)
      end()
      if (character === '{') i = Math.max(i, pattern.indexOf('}', i))
    } else if (character === '\\') {
      const next = pattern[i + 1] ?? ''
      i++
      if (/[.\\+*?()|[\]{}^$\-/]/.test(next)) run += next
      else {
        end()
        // The digits of \x41, \x{41}, \pN or \012 are no characters of the text: whatever follows is given up.
        if (!/[dDwWsSbBAz]/.test(next)) return found
      }
    } else if (/[.^$+]/.test(character)) end()
    else if (/[\uD800-\uDFFF]/.test(character)) end()
    else run += character
  }
  end()
  return found
}

function classEnd(pattern: string, start: number): number {
  let i = start + 1
  if (pattern[i] === '^') i++
  // A bracket in the first place is a member.
  if (pattern[i] === ']') i++
  for (; i < pattern.length && pattern[i] !== ']'; i++) {
    if (pattern[i] === '\\') i++
    else if (pattern[i] === '[' && pattern[i + 1] === ':') i = Math.max(i, pattern.indexOf(':]', i) + 1)
  }
  return i
}
