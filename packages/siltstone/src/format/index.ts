export * from './checksum.ts'
export * from './hash64.ts'
export * from './json.ts'
export * from './keys.ts'
