/** Puts a mutant's code in the place of the real one, as the modules are loaded. */
import { registerHooks } from 'node:module'
import type { Mutant } from './mutants.ts'

/** Names the broken copy that a worker loads. */
export const MUTANT_VARIABLE = 'SILTSTONE_MUTANT'

const ROOT = new URL('../../siltstone/src/', import.meta.url).href

/** @throws Error when a fragment is not found exactly once: the code has moved on, the mutant must follow */
export function patched(source: string, file: string, { name, patches }: Mutant): string {
  let text = source
  for (const { find, replace } of patches.filter((patch) => patch.file === file)) {
    const found = text.split(find).length - 1
    if (found !== 1) throw new Error(`mutant ${name}: its fragment stands ${found} times in ${file}: ${find}`)
    text = text.replace(find, () => replace)
  }
  return text
}

export function loadMutant(mutant: Mutant): void {
  const files = new Set(mutant.patches.map(({ file }) => file))
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const file = url.startsWith(ROOT) ? url.slice(ROOT.length) : ''
      if (!files.has(file)) return loaded
      const { source } = loaded
      if (source === null || source === undefined) throw new Error(`${url} was loaded without its source`)
      const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
      return { ...loaded, source: patched(text, file, mutant) }
    },
  })
}
