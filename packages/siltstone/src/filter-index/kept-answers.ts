/** Answers for one segment, in bytes, and how many at most. */
const KEPT_BYTES = 4 * 1024 * 1024
const MAX_KEPT = 256
const LEAST_KEPT = 4
/** Longer names (long lists of values) are not kept. */
const MAX_NAME = 4_096

/** Answers by name, since filters repeat: what no index knows is costly to look at. The oldest go first. */
export class KeptAnswers<T> {
  readonly #answers = new Map<string, Promise<T>>()
  readonly #most: number

  /** @param bytesEach what one answer takes in memory */
  constructor(bytesEach: number) {
    this.#most = Math.min(MAX_KEPT, Math.max(LEAST_KEPT, Math.floor(KEPT_BYTES / bytesEach)))
  }

  get(name: string, find: () => Promise<T>): Promise<T> {
    if (name.length > MAX_NAME) return find()
    let answer = this.#answers.get(name)
    if (!answer) {
      if (this.#answers.size >= this.#most) this.#answers.delete(this.#answers.keys().next().value ?? '')
      answer = find()
      this.#answers.set(name, answer)
      // A failure is not kept: whoever asks next tries again.
      answer.catch(() => this.#answers.delete(name))
    }
    return answer
  }
}
