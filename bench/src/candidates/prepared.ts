/** Indexes of peers, built once per data set and kept under bench/.data/peers, with what it took written beside them. */
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
  /** Of the last minute, before and after. */
  loadBefore: number
  loadAfter: number
  /** Of the whole process, reading the vectors and writing the index included. */
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

/** @param again although it is there: for build times of one run */
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
