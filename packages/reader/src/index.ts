export {
  type Fetch,
  type FetchAnswer,
  type FetchInit,
  isSiltstoneError,
  knn,
  ReadOnlyCollection,
  rrf,
  SiltstoneError,
} from 'siltstone/reading'
export { open, type OpenOptions } from './open.ts'
