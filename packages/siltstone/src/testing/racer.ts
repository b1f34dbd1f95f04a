/** Processes that compete for the objects of one store. The tests of a store start them as children. */
import type { ObjectStore } from '../ports/object-store.ts'

type Task = () => Promise<unknown>

/** Says that the process is ready, and does the task and answers when the parent sends any message. */
export function answerParent(tasks: Readonly<Record<string, Task>>, task: string): void {
  // The listener keeps the process alive until its parent disconnects.
  process.on('message', () => {
    const run = tasks[task] ?? (() => Promise.reject(new Error(`unknown task ${task}`)))
    run().then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.({ failed: String(error) }),
    )
  })
  process.send?.('ready')
}

/** Returns the keys that this process created. */
export async function create(store: ObjectStore, count: number): Promise<number[]> {
  const won: number[] = []
  for (let at = 0; at < count; at++) {
    const result = await store.put(`race/${at}`, Buffer.from(`${process.pid}`), { ifAbsent: true })
    if (result.status === 'ok') won.push(at)
  }
  return won
}

/**
 * Increments a counter by compare-and-swap. Its object repeats the number in many lines.
 * @param pause between two tries
 * @returns how often another process was first
 */
export async function increment(
  store: ObjectStore,
  count: number,
  lines: number,
  pause?: () => Promise<void>,
): Promise<number> {
  let lost = 0
  for (let done = 0; done < count; ) {
    const got = await store.get('counter')
    if (got.status !== 'ok' || got.etag === undefined) throw new Error(`the counter is ${got.status}`)
    const next = Number.parseInt(Buffer.from(got.body).toString(), 10) + 1
    const result = await store.put('counter', Buffer.from(`${next}\n`.repeat(lines)), { ifMatch: got.etag })
    if (result.status === 'ok') done++
    else lost++
    await pause?.()
  }
  return lost
}
