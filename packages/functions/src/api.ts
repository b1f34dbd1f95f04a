import { chromaHandler } from './chroma.ts'

/** The whole API; compaction is the compactor's. */
export const handler = chromaHandler({ readOnly: false })
