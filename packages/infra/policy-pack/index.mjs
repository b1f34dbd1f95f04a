// `pulumi preview --policy-pack packages/infra/policy-pack`. Plain JavaScript, because Pulumi compiles a pack's
// TypeScript with a compiler of its own; Node reads the rules as they are.
import { PolicyPack } from '@pulumi/policy'
import { POLICIES } from './policies.ts'

new PolicyPack('siltstone', { description: 'What a stack of Siltstone must hold to', policies: POLICIES })
