/**
 * Claims of merges (`compact/merge-claims.ts` of the product) and of folds (`compact/fold-ranges.ts`). A process that still holds the lease for choosing when its claim
 * takes effect, and waits for the answer, claims nothing that another process has claimed. What follows from a stall, a late
 * request or a forced lease may cost work, and is not judged; nor are histories in which clocks differ.
 */
import { type ClaimKind, foldClaims, type LeaseState, mergeClaims, namesIn } from 'siltstone/internal'
import type { Marks } from './marks.ts'
import { Violation } from './violation.ts'

export interface Claim {
  /** Name of the slot. */
  name: string
  owner: string
  /** Whether the process still waits for the answer. */
  isAwaited: boolean
}

interface Checked {
  of: (path: string) => ClaimKind
  slot: RegExp
  mark: string
  /** What only one claim at a time may name. */
  names: (state: { owner: string | undefined }, kind: ClaimKind) => string[]
}

const CHECKED: readonly Checked[] = [
  { of: mergeClaims, slot: /\/merge\/\d+$/, mark: 'two merges claimed at a time', names: namesIn },
  {
    of: foldClaims,
    slot: /\/fold\/\d+$/,
    mark: 'two folds claimed at a time',
    // The first entry. A claim that does not follow the watermark any more may overlap another one.
    names: (state, kind) => namesIn(state, kind).slice(0, 1),
  },
]

export class ClaimChecks {
  readonly #marks: Marks
  readonly #report: (violation: Violation) => void
  /** Slots whose claims began or were extended in a way that others need not have seen. */
  readonly #doubtful = new Set<string>()

  constructor(marks: Marks, report: (violation: Violation) => void) {
    this.#marks = marks
    this.#report = report
  }

  /** @param states of all leases, before the slot is taken */
  onAcquired(claim: Claim, states: readonly LeaseState[], nowMs: number): void {
    const checked = CHECKED.find(({ slot }) => slot.test(claim.name))
    if (!checked) return
    const { names, mark } = checked
    const kind = checked.of(claim.name.replace(checked.slot, ''))
    const isHeld = ({ owner, expiresAtMs }: LeaseState) => owner !== undefined && expiresAtMs >= nowMs
    const process = claim.owner.split(' ')[0] as string
    const isChosen = states.some(
      (state) => state.name === kind.lease && isHeld(state) && state.owner?.startsWith(`${process}/`) === true,
    )
    if (isChosen && claim.isAwaited) this.#doubtful.delete(claim.name)
    else this.#doubtful.add(claim.name)
    for (const other of states) {
      if (!kind.slots.includes(other.name) || other.name === claim.name || !isHeld(other)) continue
      this.#marks.hit(mark)
      const both = names(claim, kind).filter((name) => names(other, kind).includes(name))
      if (both.length === 0 || this.#doubtful.has(claim.name) || this.#doubtful.has(other.name)) continue
      this.#report(new Violation('claims', `${claim.owner} claims ${both.join(' ')}, as ${other.owner} does`))
    }
  }

  /** @param state before the heartbeat */
  onHeartbeat(state: LeaseState | undefined, nowMs: number): void {
    if (state && state.expiresAtMs < nowMs) this.#doubtful.add(state.name)
  }
}
