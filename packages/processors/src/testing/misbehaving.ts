/** A processor for the tests of processes: it does what the content asks for. */
import { runChild } from '../host/children.ts'
import type { Processor } from '../processor.ts'

const misbehaving: Processor = {
  name: 'misbehaving',
  version: '1',
  accepts: (type) => (type === 'test/misbehaving' ? 1 : 0),
  async process(source, ctx) {
    const request = new TextDecoder().decode(await source.read(0, source.sizeBytes))
    await ctx.heartbeat(request)
    if (request === 'loop') for (;;) Math.sqrt(2)
    if (request === 'wait')
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    if (request === 'objects')
      for (const all: string[][] = []; ; ) all.push(Array.from({ length: 1_000 }, (_, k) => `${all.length}${k}`))
    if (request === 'buffers')
      for (const all: Uint8Array[] = []; ; ) {
        all.push(new Uint8Array(8 * 1024 * 1024).fill(1))
        await ctx.heartbeat(request)
      }
    if (request === 'stray') {
      void Promise.reject(new Error('dropped'))
      await ctx.heartbeat(request)
    }
    if (request === 'publish') await ctx.publish?.({ [request]: { state: 'done', records: 2 } })
    if (request === 'throw') throw new TypeError('a mistake')
    if (request === 'child') {
      // The child's number is told; then the process is busy forever.
      const program = 'process.stdout.write(String(process.pid)); setInterval(() => {}, 1000)'
      await runChild(process.execPath, ['-e', program], new AbortController().signal, async (bytes) => {
        await ctx.emit({ step: request, kind: 'passage', document: new TextDecoder().decode(bytes), metadata: {} })
        for (;;) Math.sqrt(2)
      })
    }
    return { contentType: 'test/misbehaving', steps: {} }
  },
}

export default misbehaving
