import type { StepChange } from './steps.ts'

export interface FragmentChange {
  /** Under `packages/siltstone/src/`. */
  file: string
  find: string
  replace: string
}

export interface Mutant {
  name: string
  /** What goes wrong. */
  breaks: string
  patches: readonly (StepChange | FragmentChange)[]
}
