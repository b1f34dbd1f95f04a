/** Upkeep of several collections, one after another. One that fails, such as a damaged one, does not keep others from it. */
import { verifyCatalog } from '../check/verify-catalog.ts'
import { isSiltstoneError } from '../errors.ts'
import type { Session } from './session.ts'

interface Target {
  path: string
  name: string
}

export class Targets {
  readonly #session: Session
  readonly #failures: { name: string; error: unknown }[] = []

  constructor(session: Session) {
    this.#session = session
  }

  /** As `Session.targets`; damage of the catalog is a failure that is reported, and hides no collection that any object names. */
  async find(names: readonly string[]): Promise<Target[]> {
    try {
      return await this.#session.targets(names)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt') || names.length > 0) throw error
      this.#failures.push({ name: 'catalog', error })
      return this.#session.examinedTargets([], await verifyCatalog(this.#session.env))
    }
  }

  /** @param doing is shown before the name of the collection */
  async each(targets: readonly Target[], doing: string, work: (target: Target) => Promise<void>): Promise<void> {
    const { out } = this.#session
    for (const target of targets) {
      await out.progress(`${doing} ${target.name} …`)
      try {
        await work(target)
      } catch (error) {
        this.#failures.push({ name: target.name, error })
      }
    }
    await out.endProgress()
  }

  /** Call it before the answer when there is nothing to answer. */
  async reportIfAlone(outcomes: readonly unknown[]): Promise<void> {
    if (outcomes.length === 0) await this.report()
  }

  /** Call it after the answer. @throws the first failure; the others are notes */
  async report(): Promise<void> {
    const [first, ...others] = this.#failures
    for (const { name, error } of others)
      await this.#session.out.note(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    if (first) throw first.error
  }
}
