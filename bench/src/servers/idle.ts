import { type Server, sleep } from './server-process.ts'

const IDLE_SAMPLES = 6
const IDLE_EVERY_MS = 500
const IDLE_CPU_SECONDS = 0.05

/** Waits until no compaction is due and the process has used no processor for three seconds, which are not counted. */
export async function untilIdle(server: Server, collection: string): Promise<number> {
  const startedMs = performance.now()
  let quiet = 0
  let last = server.usage()?.cpuSeconds ?? 0
  while (quiet < IDLE_SAMPLES) {
    await sleep(IDLE_EVERY_MS)
    const cpu = server.usage()?.cpuSeconds ?? 0
    const waiting = quiet === 0 ? ((await server.client.unindexed(collection)) ?? 0) : 0
    quiet = waiting === 0 && cpu - last <= IDLE_CPU_SECONDS ? quiet + 1 : 0
    last = server.usage()?.cpuSeconds ?? 0
  }
  return Math.max(0, (performance.now() - startedMs - IDLE_SAMPLES * IDLE_EVERY_MS) / 1000)
}
