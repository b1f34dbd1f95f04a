import { chromaHandler } from './chroma.ts'

/** The API for reads only. */
export const handler = chromaHandler({ readOnly: true })
