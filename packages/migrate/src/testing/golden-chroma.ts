/** Small directories that versions of Chroma wrote, with the records that the same Chroma read from them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type ExactJson, parseExact, stringifyExact } from 'siltstone/internal'
import type { SourceRecord } from '../types.ts'

export const GOLDEN_VERSIONS = ['0.4.3', '0.4.14', '0.4.24', '0.6.3', '1.5.9'] as const

export interface GoldenCollection {
  space: string
  metadata: string | null
  records: SourceRecord[]
}

/** Writes the directory's files. @returns the expected collections by name */
export async function unpackGolden(version: string, directory: string): Promise<Map<string, GoldenCollection>> {
  const path = fileURLToPath(new URL(`../golden/chroma-${version}.json.gz`, import.meta.url))
  const golden = parseExact(gunzipSync(await readFile(path)).toString()) as Map<string, Map<string, ExactJson>>
  for (const [name, base64] of golden.get('files') ?? []) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), Buffer.from(base64 as string, 'base64'))
  }
  const expected = new Map<string, GoldenCollection>()
  for (const [name, value] of golden.get('expected') ?? []) {
    const collection = value as Map<string, ExactJson>
    expected.set(name, {
      space: collection.get('space') as string,
      metadata: textOf(collection.get('metadata')),
      records: (collection.get('records') as Map<string, ExactJson>[]).map((record) => ({
        id: record.get('id') as string,
        vector: Float32Array.from(record.get('vector') as (number | bigint)[], Number),
        document: record.get('document') as string | null,
        metadata: textOf(record.get('metadata')),
        uri: record.get('uri') as string | null,
      })),
    })
  }
  return expected
}

function textOf(json: ExactJson | undefined): string | null {
  return json === null || json === undefined ? null : stringifyExact(json)
}
