import { chromaHandler } from './chroma.ts'

/** The whole API; the compactor compacts. */
export const handler = chromaHandler({ readOnly: false })
