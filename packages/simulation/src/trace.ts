/** The events in order: a rolling hash, and on request the lines themselves. */
export class Trace {
  #hash = 0x811c9dc5
  readonly lines: string[] | undefined
  count = 0

  constructor(keep: boolean) {
    this.lines = keep ? [] : undefined
  }

  add(atMs: number, a: string, b: string, c: string, d: string): void {
    this.count++
    this.#mix(String(atMs))
    this.#mix(a)
    this.#mix(b)
    this.#mix(c)
    this.#mix(d)
    this.lines?.push(`${String(atMs).padStart(8)} ${a} ${b} ${c} ${d}`)
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  #mix(text: string): void {
    let hash = this.#hash
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.#hash = Math.imul(hash ^ 0x1f, 0x01000193)
  }
}
