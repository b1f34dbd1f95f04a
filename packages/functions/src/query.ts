import { chromaHandler } from './chroma.ts'

/** Reads only. */
export const handler = chromaHandler({ readOnly: true })
