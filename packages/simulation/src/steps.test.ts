import { describe, expect, it } from 'vitest'
import { changeStep, type StepChange, stepsIn } from './steps.ts'

const change = (source: string, what: { value: string } | { drop: true } | { instead: string }) =>
  changeStep(source, 'a.ts', { step: 'it', ...what } as StepChange)
const at = (before: string, step: string, after = '') => `${before}\n// step: it\n${step}${after}\n`

describe('a step', () => {
  it.each([
    ['a declaration', at('', 'const a: number = b(1, 2)'), at('', 'const a: number = X')],
    ['an assignment over several lines', at('', 'a =\n  b &&\n  c'), at('', 'a =\n  X')],
    ['a return', at('function f() {', 'return {\n a: 1 }', '}'), at('function f() {', 'return X', '}')],
    ['a condition', at('', 'if (a || b) c()\nd()'), at('', 'if (X) c()\nd()')],
    ['a property', at('f({', 'a: b + c, d', '})'), at('f({', 'a: X, d', '})')],
    ['an operand', at('if (a ||', 'b !== c ||\n d) e()'), at('if (a ||', 'X ||\n d) e()')],
    ['an expression', at('', 'a?.(b)'), at('', 'X')],
    ['what comes after another comment', at('', '// é 😀\nconst a = 1'), at('', '// é 😀\nconst a = X')],
  ])('of which the value is replaced: %s', (_, source, expected) => {
    expect(change(source, { value: 'X' })).toBe(expected)
  })

  it('can be left out, or be another statement', () => {
    expect(change(at('', 'if (a)\n  await b()\nc()'), { drop: true })).toBe(at('', ';\nc()'))
    expect(change(at('f({', 'a: 1, b', '})'), { drop: true })).toBe(at('f({', '...{}, b', '})'))
    expect(change(at('', 'b = a'), { instead: 'throw b' })).toBe(at('', 'throw b'))
  })

  it('is refused when its mark is missing, doubled, before nothing, or before what has no value', () => {
    expect(() => change('a()', { drop: true })).toThrow('step it is marked 0 times in a.ts')
    expect(() => change(at('', 'a()') + at('', 'b()'), { drop: true })).toThrow('marked 2 times')
    expect(() => change('a()\n// step: it\n', { drop: true })).toThrow('begins after the mark')
    expect(() => change(at('', 'for (;;) a()'), { value: 'X' })).toThrow('is a ForStatement')
    expect(() => change(at('', 'a b'), { value: 'X' })).toThrow('cannot be parsed')
  })

  it('is named in a comment on a line of its own', () => {
    expect(stepsIn('  // step: a-b\nx() // step: c\n// step: d\n')).toEqual(['a-b', 'd'])
  })
})
