/** Licences that model hubs name and SPDX does not list, and families that hubs name without a version. */

/**
 * What a licence lets its user do, from most to least. `unclassified`: a licence that SPDX lists and this product has not
 * classified. `other`: a text of its own.
 */
export type LicenceClass =
  | 'public-domain'
  | 'permissive'
  | 'attribution'
  | 'weak-copyleft'
  | 'strong-copyleft'
  | 'use-restricted'
  | 'network-copyleft'
  | 'community'
  | 'unclassified'
  | 'other'
  | 'no-derivatives'
  | 'non-commercial'

export interface NamedLicence {
  id: string
  class: LicenceClass
}

const NAMED: readonly (readonly [LicenceClass, readonly string[]])[] = [
  ['permissive', ['bsd', 'openmdw-1.0', 'ms-pl', 'apple-ascl']],
  ['attribution', ['odc-by', 'c-uda']],
  ['weak-copyleft', ['lgpl', 'lgpl-lr', 'odbl']],
  ['strong-copyleft', ['gpl', 'gfdl']],
  [
    'use-restricted',
    [
      'openrail',
      'openrail++',
      'openrail-m',
      'bigscience-openrail-m',
      'bigscience-bloom-rail-1.0',
      'bigcode-openrail-m',
      'creativeml-openrail-m',
    ],
  ],
  [
    'community',
    ['llama', 'llama2', 'llama3', 'llama3.1', 'llama3.2', 'llama3.3', 'llama4', 'gemma', 'grok2-community', 'qwen'],
  ],
  [
    'non-commercial',
    [
      'deepfloyd-if-license',
      'fair-noncommercial-research-license',
      'intel-research',
      'h-research',
      'apple-amlr',
      'qwen-research',
    ],
  ],
  ['other', ['other', 'cc', 'custom']],
]

const byName = new Map(
  NAMED.flatMap(([classOf, names]) => names.map((id): [string, NamedLicence] => [id, { id, class: classOf }])),
)
/** Names of hubs for SPDX's licences. */
const SPDX_OF = new Map([
  ['pddl', 'PDDL-1.0'],
  ['postgresql', 'PostgreSQL'],
])

/** By any capitalisation. */
export function namedLicence(text: string): NamedLicence | undefined {
  const name = text.toLowerCase()
  const spdx = SPDX_OF.get(name)
  return spdx === undefined ? byName.get(name) : { id: spdx, class: 'permissive' }
}
