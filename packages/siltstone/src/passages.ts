/**
 * What `import … from 'siltstone/passages'` gives: how texts are cut into passages, and the errors. It loads nothing of the
 * store, so that `@siltstone/processors` can use it in a thread of its own.
 */
export {
  type CutOptions,
  type CutPassage,
  cutPassages,
  joinParagraphs,
  type Paragraph,
} from './ingest/passages.ts'
export {
  type ErrorKind,
  invalid,
  isSiltstoneError,
  notFound,
  SiltstoneError,
  unauthorized,
  unavailable,
  unsupported,
} from './errors.ts'
