import { LruMap } from '../lru.ts'
import { memoize } from '../memo.ts'

/** Memory for the answers of one segment. */
const MEMO_BYTES = 4 * 1024 * 1024
const MOST_ANSWERS = 256
const LEAST_ANSWERS = 4
/** Longer names (those of long lists of values) are not kept. */
const MAX_NAME_LENGTH = 4_096

/** Answers to filters by name. Filters repeat, and what no index knows is costly to find. */
export class AnswerMemo<T> {
  readonly #answers: LruMap<string, Promise<T>>

  /** @param answerBytes size of one answer in memory */
  constructor(answerBytes: number) {
    const fitting = Math.floor(MEMO_BYTES / answerBytes)
    this.#answers = new LruMap(Math.min(MOST_ANSWERS, Math.max(LEAST_ANSWERS, fitting)))
  }

  /** Whether the answer is known, or being found. */
  has(name: string): boolean {
    return this.#answers.get(name) !== undefined
  }

  get(name: string, find: () => Promise<T>): Promise<T> {
    return name.length > MAX_NAME_LENGTH ? find() : memoize(this.#answers, name, find)
  }
}
