/** Guards a value: one task at a time gets it, in the order in which they asked. */
export class Mutex<V> {
  readonly #value: V
  #tail: Promise<unknown> = Promise.resolve()

  constructor(value: V) {
    this.#value = value
  }

  /** @param task must not keep the value beyond its end */
  run<T>(task: (value: V) => Promise<T>): Promise<T> {
    const work = () => task(this.#value)
    const result = this.#tail.then(work, work)
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}
