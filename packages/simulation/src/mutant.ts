import type { PlanNumbers } from './plan.ts'
import type { StepChange } from './steps.ts'

export interface Mutant {
  name: string
  /** What goes wrong. */
  breaks: string
  changes: readonly StepChange[]
  /**
   * Numbers of the plan with which histories take the broken step again and again, so that almost any seed catches the mutant
   * within a few. A single seed that catches it does so no longer once the product makes one request more or less. Producers drop
   * 12 deltas at most: the checks of reads cannot tell more apart.
   */
  provokedBy?: Readonly<Partial<PlanNumbers>>
}
