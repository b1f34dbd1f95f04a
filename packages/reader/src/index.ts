export {
  type Fetch,
  type FetchAnswer,
  type FetchInit,
  isSiltstoneError,
  knn,
  ReadOnlyCollection,
  hybrid,
  rrf,
  SiltstoneError,
} from 'siltstone/reading'
export { open } from './open.ts'
export type { OpenOptions } from './settings.ts'
