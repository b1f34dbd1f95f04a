/** The texts of the queries in `queries.arrow` of `--data DIR`, in the order of their vectors. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'

export interface LabelledQuery {
  text: string
  /** Whose passages answer it. */
  package: string
}

export function questionsOf(directory: string): LabelledQuery[] {
  const table = tableFromIPC(readFileSync(join(directory, 'queries.arrow')))
  const column = (name: string) => table.getChild(name)
  return Array.from({ length: table.numRows }, (_, i) => ({
    text: String(column('text')?.get(i)),
    package: String(column('package')?.get(i)),
  }))
}
