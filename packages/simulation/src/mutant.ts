import type { StepChange } from './steps.ts'

export interface Mutant {
  name: string
  /** What goes wrong. */
  breaks: string
  changes: readonly StepChange[]
}
