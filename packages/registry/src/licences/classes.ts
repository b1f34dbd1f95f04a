/** What licences permit, as a class and as the number that the metric `license` gives it. */
import type { LicenceExpression } from './expression.ts'
import { type LicenceClass, namedLicence } from './named.ts'

export const CLASS_VALUES: Readonly<Record<LicenceClass, number>> = {
  'public-domain': 1,
  permissive: 1,
  attribution: 0.8,
  'weak-copyleft': 0.8,
  'strong-copyleft': 0.5,
  'use-restricted': 0.5,
  'network-copyleft': 0.4,
  community: 0.4,
  unclassified: 0.3,
  other: 0.3,
  'no-derivatives': 0.1,
  'non-commercial': 0.1,
}

/** The first pattern that matches an SPDX id decides. Non-commercial terms come first: they weigh most. */
const PATTERNS: readonly (readonly [RegExp, LicenceClass])[] = [
  [/-NC(?:-|$)|^PolyForm-Noncommercial|-NonCommercial|^NCGL|^Prosperity/i, 'non-commercial'],
  [/-ND(?:-|$)/, 'no-derivatives'],
  [/^(?:CC0-|Unlicense$|PDDL-|CC-PDDC$|CC-PDM-|0BSD$|MIT-0$|WTFPL$)/, 'public-domain'],
  [/^(?:AGPL-|OSL-|SSPL-|CPAL-|RPL-|EUPL-)/, 'network-copyleft'],
  [/^CC-BY-SA-|^(?:GPL|GFDL|Sleepycat|QPL|CECILL-[12]|copyleft-next)/, 'strong-copyleft'],
  [/^(?:LGPL|MPL|EPL|CPL|CDDL|APSL|LPPL|MS-RL|CECILL-C|ODbL|CDLA-Sharing|OFL|SISSL|IPL|NPL|SPL)/, 'weak-copyleft'],
  [/^(?:CC-BY-\d|ODC-By|DL-DE-BY|OGL-|etalab|OGDL)/i, 'attribution'],
  [
    /^(?:MIT|Apache|BSD|ISC|Zlib|X11|NCSA|PostgreSQL|BSL-|CDLA-Permissive|AFL|Artistic-2|ECL|MS-PL|PSF|Python|CNRI|HPND|BlueOak|MulanPSL|Unicode|curl|Libpng|libpng|TCL|UPL|W3C|FTL|ICU|IJG|NTP|OLDAP-2.8|OpenSSL|PHP|Ruby|Vim|ZPL|bzip2|CECILL-B|EFL-2|Info-ZIP|Intel$|JSON|Beerware|FSFAP|NIST|SGI-B-2|TU-Berlin|Xnet|COIL|Linux-OpenIB)/,
    'permissive',
  ],
]

/** Of one licence, with or without an exception: exceptions only permit more, so they are left out of account. */
export function classOfLicence(id: string): LicenceClass {
  const named = namedLicence(id)
  if (named !== undefined) return named.class
  return PATTERNS.find(([pattern]) => pattern.test(id))?.[1] ?? 'unclassified'
}

/** A user may choose between alternatives (OR: the best) and has to keep all conditions (AND: the worst). */
export function licenceValue(expression: LicenceExpression): { value: number; class: LicenceClass; id: string } {
  if (expression.kind === 'licence') {
    const classOf = classOfLicence(expression.id)
    return { value: CLASS_VALUES[classOf], class: classOf, id: expression.id }
  }
  const left = licenceValue(expression.left)
  const right = licenceValue(expression.right)
  const leftDecides = expression.kind === 'or' ? left.value >= right.value : left.value <= right.value
  return leftDecides ? left : right
}
