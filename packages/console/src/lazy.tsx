/** Views whose code is loaded when they are first shown. */
import type { ComponentType } from 'preact'
import { Problem } from './parts.tsx'
import { useLoaded } from './state.ts'

export function lazy(load: () => Promise<ComponentType>): ComponentType {
  let kept: Promise<ComponentType> | undefined
  return function Lazy() {
    const { value, problem } = useLoaded(async () => {
      kept ??= load()
      // A failure is not kept: the next visit tries again.
      kept.catch(() => (kept = undefined))
      return { View: await kept }
    }, [])
    return value === undefined ? <Problem text={problem} /> : <value.View />
  }
}
