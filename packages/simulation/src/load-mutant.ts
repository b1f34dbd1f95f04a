/** Replaces real code by that of a mutant while modules are loaded. */
import { registerHooks } from 'node:module'
import type { Mutant } from './mutant.ts'
import { changeStep, stepsIn } from './steps.ts'

/** The environment variable that names the mutant of a worker. */
export const MUTANT_VARIABLE = 'SILTSTONE_MUTANT'

const ROOT = new URL('../../siltstone/src/', import.meta.url).href

/** @throws Error when a fragment or a step is not found exactly once */
export function mutated(source: string, file: string, { name, patches }: Mutant): string {
  const steps = stepsIn(source)
  let text = source
  for (const patch of patches) {
    if ('step' in patch) {
      if (steps.includes(patch.step)) text = changeStep(text, file, patch)
      continue
    }
    if (patch.file !== file) continue
    const found = text.split(patch.find).length - 1
    if (found !== 1) throw new Error(`mutant ${name}: its fragment stands ${found} times in ${file}: ${patch.find}`)
    text = text.replace(patch.find, () => patch.replace)
  }
  return text
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
