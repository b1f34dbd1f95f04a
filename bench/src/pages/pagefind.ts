/** Pagefind's index, of bench/node_modules, which bench/setup.sh installs. */
import { join } from 'node:path'
import { BENCH } from '../places.ts'

interface Index {
  addCustomRecord(record: object): Promise<{ errors: string[] }>
  addDirectory(options: { path: string }): Promise<{ errors: string[] }>
  writeFiles(options: { outputPath: string }): Promise<unknown>
}

interface Pagefind {
  createIndex(): Promise<{ index: Index }>
  close(): Promise<void>
}

export async function openPagefind() {
  const pagefind = (await import(join(BENCH, 'node_modules/pagefind/lib/index.js'))) as Pagefind
  const { index } = await pagefind.createIndex()
  const check = ({ errors }: { errors: string[] }) => {
    if (errors.length > 0) throw new Error(`Pagefind: ${errors.join(' ')}`)
  }
  const writeInto = async (folder: string) => {
    await index.writeFiles({ outputPath: folder })
    await pagefind.close()
  }
  return {
    async indexSite(site: string, folder: string): Promise<void> {
      check(await index.addDirectory({ path: site }))
      await writeInto(folder)
    },
    async indexRecords(records: Iterable<object>, folder: string): Promise<void> {
      for (const record of records) check(await index.addCustomRecord(record))
      await writeInto(folder)
    },
  }
}
