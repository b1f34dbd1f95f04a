/** Replaces real code by that of a mutant while modules are loaded. */
import { registerHooks } from 'node:module'
import type { Mutant } from './mutant.ts'
import { changeStep, stepsIn } from './steps.ts'

/** The environment variable that names the mutant of a worker. */
export const MUTANT_VARIABLE = 'SILTSTONE_MUTANT'

const ROOT = new URL('../../siltstone/src/', import.meta.url).href

/** @throws Error when a step cannot be changed in the way of the mutant */
export function mutated(source: string, file: string, { changes }: Mutant): string {
  const steps = stepsIn(source)
  return changes
    .filter(({ step }) => steps.includes(step))
    .reduce((text, change) => changeStep(text, file, change), source)
}

export function loadMutant(mutant: Mutant): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.startsWith(ROOT) || !url.endsWith('.ts')) return loaded
      const { source } = loaded
      if (source === null || source === undefined) throw new Error(`${url} was loaded without its source`)
      const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
      return { ...loaded, source: mutated(text, url.slice(ROOT.length), mutant) }
    },
  })
}
