import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../packages/siltstone/src/format/golden/', import.meta.url)
const pathOf = (name: string) => fileURLToPath(new URL(name, root))

export const goldenFile = (name: string): Uint8Array => new Uint8Array(readFileSync(pathOf(name)))
export const goldenJson = (name: string): unknown => JSON.parse(readFileSync(pathOf(name), 'utf8'))
/** Deltas written by other producers. */
export const goldenDeltas = (): Uint8Array[] =>
  readdirSync(fileURLToPath(root))
    .filter((name) => name.endsWith('.arrow'))
    .map(goldenFile)
