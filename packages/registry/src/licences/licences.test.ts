import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLASS_VALUES, classOfLicence, licenceValue } from './classes.ts'
import { checkLicences } from './compatibility.ts'
import { type LicenceExpression, licenceText, parseLicence } from './expression.ts'
import { OSADL_IDS, OSADL_ROWS } from './osadl-matrix.ts'

const parsed = (text: string): LicenceExpression => {
  const expression = parseLicence(text)
  if (expression === undefined) throw new Error(`${text} is no expression`)
  return expression
}

describe('expressions', () => {
  it.each([
    ['apache-2.0', 'Apache-2.0'],
    ['mit or APACHE-2.0', 'MIT OR Apache-2.0'],
    ['gpl-3.0', 'GPL-3.0-only'],
    ['GPL-2.0+', 'GPL-2.0-or-later'],
    ['LGPL-2.1-only', 'LGPL-2.1-only'],
    ['GPL-2.0-only WITH Classpath-exception-2.0', 'GPL-2.0-only WITH Classpath-exception-2.0'],
    ['MIT AND (Apache-2.0 OR ISC)', 'MIT AND (Apache-2.0 OR ISC)'],
    ['(MIT AND Apache-2.0) OR ISC', 'MIT AND Apache-2.0 OR ISC'],
    ['Llama3.1', 'llama3.1'],
    ['OpenRAIL++', 'openrail++'],
    ['pddl', 'PDDL-1.0'],
  ])('%s is %s', (text, canonical) => {
    expect(licenceText(parsed(text))).toBe(canonical)
  })

  it.each(['', ' ', 'see LICENSE', 'MIT OR', 'x'.repeat(2_000), '()', 'NOASSERTION'])('%j is none', (text) => {
    expect(parseLicence(text)).toBeUndefined()
  })

  it('any text parses or does not, and what was printed parses to the same', () => {
    const leaf = fc.constantFrom('MIT', 'Apache-2.0', 'GPL-3.0-or-later', 'CC-BY-NC-4.0', 'MPL-2.0')
    const { expression } = fc.letrec<{ expression: LicenceExpression }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        leaf.map((id) => ({ kind: 'licence' as const, id })),
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          left: tie('expression'),
          right: tie('expression'),
        }),
      ),
    }))
    fc.assert(
      fc.property(expression, (made) => {
        const text = licenceText(made)
        expect(licenceText(parsed(text))).toBe(text)
        expect(licenceValue(parsed(text)).value).toBe(licenceValue(made).value)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => void parseLicence(text)))
  })
})

describe('classes', () => {
  it.each([
    ['CC0-1.0', 'public-domain'],
    ['Apache-2.0', 'permissive'],
    ['CC-BY-4.0', 'attribution'],
    ['MPL-2.0', 'weak-copyleft'],
    ['LGPL-3.0-only', 'weak-copyleft'],
    ['GPL-3.0-only', 'strong-copyleft'],
    ['CC-BY-SA-4.0', 'strong-copyleft'],
    ['AGPL-3.0-only', 'network-copyleft'],
    ['CC-BY-NC-4.0', 'non-commercial'],
    ['CC-BY-NC-ND-4.0', 'non-commercial'],
    ['CC-BY-ND-4.0', 'no-derivatives'],
    ['creativeml-openrail-m', 'use-restricted'],
    ['gemma', 'community'],
    ['other', 'other'],
    ['Abstyles', 'unclassified'],
  ])('%s is %s', (id, expected) => {
    expect(classOfLicence(id)).toBe(expected)
  })

  it('takes the best alternative and the worst of joint conditions', () => {
    expect(licenceValue(parsed('MIT OR GPL-3.0-only')).value).toBe(1)
    expect(licenceValue(parsed('MIT AND GPL-3.0-only')).value).toBe(CLASS_VALUES['strong-copyleft'])
    expect(licenceValue(parsed('MIT AND (AGPL-3.0-only OR CC-BY-4.0)'))).toMatchObject({ value: 0.8, id: 'CC-BY-4.0' })
  })
})

describe('compatibility', () => {
  it('has the whole matrix of OSADL', () => {
    expect(OSADL_IDS).toHaveLength(110)
    expect(OSADL_ROWS.map((row) => row.length)).toEqual(OSADL_IDS.map(() => 110))
    const all = OSADL_ROWS.join('')
    const count = (letter: string) => all.split(letter).length - 1
    expect({ yes: count('Y'), no: count('N'), unknown: count('U'), check: count('C') }).toEqual({
      yes: 7_729,
      no: 3_228,
      unknown: 983,
      check: 50,
    })
    expect(OSADL_ROWS.every((row, index) => row[index] === 'S')).toBe(true)
  })

  it.each([
    ['Apache-2.0', 'GPL-3.0-only', 'yes', 'yes'],
    ['GPL-3.0-only', 'Apache-2.0', 'no', 'yes'],
    ['Apache-2.0', 'GPL-2.0-only', 'no', 'yes'],
    ['MIT', 'Apache-2.0', 'yes', 'yes'],
    ['Apache-2.0 OR MIT', 'GPL-2.0-only', 'yes', 'yes'],
    ['Apache-2.0 AND MIT', 'GPL-2.0-only', 'no', 'yes'],
    ['MIT', 'Apache-2.0 OR GPL-2.0-only', 'yes', 'yes'],
    ['Apache-2.0', 'MIT OR GPL-2.0-only', 'no', 'yes'],
    ['CC0-1.0', 'MIT', 'yes', 'yes'],
    ['CC-BY-4.0', 'MIT', 'yes', 'yes'],
    ['CC-BY-NC-4.0', 'Apache-2.0', 'no', 'no'],
    ['CC-BY-NC-4.0', 'CC-BY-NC-4.0', 'yes', 'yes'],
    ['CC-BY-NC-4.0', 'CC-BY-NC-SA-4.0', 'unknown', 'yes'],
    ['CC-BY-ND-4.0', 'MIT', 'no', 'yes'],
    ['CC-BY-NC-ND-4.0', 'CC-BY-NC-ND-4.0', 'no', 'yes'],
    ['CC-BY-SA-4.0', 'GPL-3.0-only', 'yes', 'yes'],
    ['CC-BY-SA-4.0', 'MIT', 'no', 'yes'],
    ['openrail', 'MIT', 'no', 'yes'],
    ['openrail', 'GPL-3.0-only', 'no', 'no'],
    ['openrail', 'openrail', 'yes', 'yes'],
    ['llama3.1', 'Apache-2.0', 'no', 'yes'],
    ['other', 'other', 'unknown', 'unknown'],
    ['other', 'MIT', 'unknown', 'unknown'],
  ])(
    'a model under %s in a project under %s: fine-tuning %s, inference %s',
    (model, project, fineTuning, inference) => {
      const check = checkLicences(parsed(model), parsed(project))
      expect([check.fineTuning.answer, check.inference.answer]).toEqual([fineTuning, inference])
      expect(check.allowed).toBe(fineTuning === 'yes' && inference === 'yes')
      expect(check.fineTuning.reason).not.toBe('')
    },
  )

  it('one more alternative for the model never forbids what was allowed, one more condition never allows more', () => {
    const id = fc.constantFrom('MIT', 'Apache-2.0', 'GPL-2.0-only', 'CC-BY-NC-4.0', 'openrail', 'other', 'MPL-2.0')
    fc.assert(
      fc.property(id, id, id, (model, more, project) => {
        const before = checkLicences(parsed(model), parsed(project)).allowed
        const or: LicenceExpression = { kind: 'or', left: parsed(model), right: parsed(more) }
        const and: LicenceExpression = { kind: 'and', left: parsed(model), right: parsed(more) }
        if (before) expect(checkLicences(or, parsed(project)).allowed).toBe(true)
        if (!before) expect(checkLicences(and, parsed(project)).allowed).toBe(false)
      }),
    )
  })
})
