import { randomUUID } from 'node:crypto'

/** Never the same one twice. */
export const uniqueId = (): string => randomUUID()
