/**
 * Vectors of real things, made by `bench/real_vectors.py` from packages and from files of the machine: word vectors, image descriptors,
 * texts. They were added after the index was designed, and are first measured with it as it was.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Space } from 'siltstone/internal'
import { SETS } from '../places.ts'
import type { Kind } from './kind.ts'

const FOLDER = join(SETS, 'real')

interface Made {
  space: Space
  dimension: number
  rows: number
  queries: number
  about: string
}

/** Those that were made on this machine, in the order of their names. */
export function realKinds(): Kind[] {
  if (!existsSync(FOLDER)) return []
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return names.sort().map((file) => kindOf(file.slice(0, -'.json'.length)))
}

function kindOf(name: string): Kind {
  const made = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Made
  const { space, dimension, rows, queries, about } = made
  return {
    name: `real: ${name}`,
    space,
    dimension,
    queries: about,
    make: (count) => {
      const bytes = readFileSync(join(FOLDER, `${name}.f32`))
      const floats = new Float32Array(bytes.buffer, bytes.byteOffset, (rows + queries) * dimension)
      const at = (i: number) => floats.slice(i * dimension, (i + 1) * dimension)
      if (count > rows) throw new Error(`${name} has ${rows} rows; ask for no more with --records`)
      return {
        // Rows that are written later are others as long as there are some.
        row: (index) => at(index % rows),
        query: (index) => at(rows + (index % queries)),
      }
    },
  }
}
