export * from './apply.ts'
export * from './metadata.ts'
export * from './metadata-json.ts'
export * from '../model/record.ts'
