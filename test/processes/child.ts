/** A program of a test that reads one JSON request per line on stdin and writes one answer per line on stdout. */
import { createInterface } from 'node:readline'
import { Gone, Process, type ProcessOptions, Refused } from './process.ts'

export interface Answer {
  /** That of the request; 0: the program is ready. */
  id: number
  error?: { kind: string; code: string; message: string }
}

export class Child<A extends Answer> {
  readonly name: string
  readonly #process: Process
  readonly #waiting = new Map<number, { resolve: (answer: A) => void; reject: (error: Error) => void }>()
  #next = 1

  private constructor(name: string, process: Process) {
    this.name = name
    this.#process = process
    createInterface({ input: process.child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as A
      this.#waiting.get(answer.id)?.resolve(answer)
      this.#waiting.delete(answer.id)
    })
    void process.exited.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Gone(`${name} ended: ${process.log}`))
      this.#waiting.clear()
    })
  }

  /** @throws Gone if it ends instead of saying that it is ready */
  static async start<A extends Answer>(
    name: string,
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<Child<A>> {
    const child = new Child<A>(name, new Process(args, options))
    await new Promise<unknown>((resolve, reject) => child.#waiting.set(0, { resolve, reject }))
    return child
  }

  get pid(): number {
    return this.#process.pid
  }

  /** @throws Gone, Refused */
  async ask(request: object): Promise<A> {
    const id = this.#next++
    const answer = await new Promise<A>((resolve, reject) => {
      if (this.#process.hasEnded) return reject(new Gone(`${this.name} has ended: ${this.#process.log}`))
      this.#waiting.set(id, { resolve, reject })
      this.#process.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    })
    if (answer.error) throw new Refused(answer.error.kind, answer.error.code, answer.error.message)
    return answer
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Ends its input. @throws Error if it does not end with code 0, or wrote to stderr */
  async stop(): Promise<void> {
    this.#process.child.stdin.end()
    const code = await this.#process.exited
    if (code !== 0 || this.#process.log !== '') throw new Error(`${this.name} ended with ${code}: ${this.#process.log}`)
  }
}
