/** Names the broken copy that a worker loads. */
export const MUTANT_VARIABLE = 'SILTSTONE_MUTANT'
