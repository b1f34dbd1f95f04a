/** The rules in Pulumi's form. */
import type { StackValidationPolicy } from '@pulumi/policy'
import { COMPUTE_RULES } from './compute.ts'
import { IDENTITY_RULES } from './identity.ts'
import { MESSAGING_RULES } from './messaging.ts'
import { type Declared, type Rule, Stack } from './rule.ts'
import { STORAGE_RULES } from './storage.ts'

export const RULES: readonly Rule[] = [...STORAGE_RULES, ...MESSAGING_RULES, ...COMPUTE_RULES, ...IDENTITY_RULES]

export const POLICIES: StackValidationPolicy[] = RULES.map(({ name, description, level, check }) => ({
  name,
  description,
  enforcementLevel: level,
  validateStack: ({ resources }, report) => {
    const declared = resources.map(
      ({ type, name: resource, urn, props, opts }): Declared => ({
        type,
        name: resource,
        urn,
        props,
        protect: opts.protect,
      }),
    )
    for (const violation of check(new Stack(declared))) report(violation.message, violation.resource.urn)
  },
}))
