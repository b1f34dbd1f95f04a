/** Indexes of peers, built once per data set and kept under bench/.data/peers together with the cost of the build. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { type Dataset, vectorsFile } from '../data/dataset.ts'
import { columnsFile } from '../data/filters.ts'
import { SCRATCH } from '../places.ts'
import type { BuildResult, CandidateOptions } from './candidate.ts'
import { startCandidate } from './start.ts'

export interface Built extends BuildResult {
  at: string
  /** Load average of the last minute, before and after. */
  loadBefore: number
  loadAfter: number
  /** Time of the whole process, which includes reading the vectors and writing the index. */
  cpuSeconds: number
  peakRssBytes: number
}

export function candidateOptions(name: string, data: Dataset, directory = peerDirectory(name, data)): CandidateOptions {
  const { count, dimension } = data
  return { directory, count, dimension, include: { documents: false, metadatas: false } }
}

function peerDirectory(name: string, data: Dataset): string {
  return join(SCRATCH, 'peers', `${data.key}-${name}`)
}

/** @param again builds even if it exists, for build times within one run */
export async function preparedPeer(
  name: string,
  data: Dataset,
  note: (text: string) => void,
  again = false,
): Promise<{ options: CandidateOptions; built: Built }> {
  const options = candidateOptions(name, data)
  const done = `${options.directory}.json`
  if (again || !existsSync(done)) {
    note(`${name}: building the index of ${data.name}`)
    rmSync(options.directory, { recursive: true, force: true })
    mkdirSync(options.directory, { recursive: true })
    const source = { vectors: vectorsFile(data), columns: columnsFile(data), ...options }
    const at = new Date().toISOString()
    const loadBefore = loadavg()[0] as number
    const candidate = await startCandidate(name, options)
    const result = await candidate.build(source)
    const { cpuSeconds, peakRssBytes } = candidate.usage()
    const built: Built = { ...result, at, loadBefore, loadAfter: loadavg()[0] as number, cpuSeconds, peakRssBytes }
    await candidate.close()
    writeFileSync(done, JSON.stringify(built))
  }
  return { options, built: JSON.parse(readFileSync(done, 'utf8')) as Built }
}
