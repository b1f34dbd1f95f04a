export { HYBRID_LIST, MEANING_LIST } from './hybrid.ts'
export { noLimits } from './limits.ts'
export { type ParsedSearch, parseSearch } from './parse-search.ts'
export { prepare } from './prepare.ts'
