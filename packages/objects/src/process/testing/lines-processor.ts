import type { ProcessContext, Processor } from '@siltstone/processors'
import { invalid, unavailable } from 'siltstone/internal'

let made = 0

/**
 * One record a line, whose metadata has two keys: the line, and a new one each time. A line `fail` is refused for good, a line
 * `flaky` and a line `full` while `fails` says so, at a line `slow` the time of a worker that has a limit is over, a line `thumbnail` makes a file
 * instead, a line `speech` is what a transcriber says, a line `publish` shows the lines before it early, and a line `beside` what the
 * file `.srt` beside the object says,
 * `beside of vtt` the file `.vtt`.
 */
export function linesProcessor(fails: () => boolean = () => false, endTime: () => void = () => undefined): Processor {
  return {
    name: 'lines',
    version: '1',
    accepts: () => 1,
    async process(source, ctx) {
      const text = new TextDecoder().decode(await source.read(0, source.sizeBytes))
      const lines = text.split('\n').filter((line) => line !== '')
      for (const line of lines) {
        await ctx.heartbeat('lines')
        if (line === 'fail') throw invalid('corrupt-file', 'the line says fail')
        if (line === 'flaky' && fails()) throw unavailable('flaky', 'the line says flaky')
        if (line === 'full' && fails()) throw unavailable('disk-full', 'the line says full')
        if (line === 'slow') endTime()
        ctx.signal.throwIfAborted()
        if (line === 'publish') await ctx.publish?.({ first: { state: 'done' } })
        else if (line === 'thumbnail') await ctx.putDerived('t', new TextEncoder().encode('picture'))
        else
          await ctx.emit({
            step: 'lines',
            kind: 'passage',
            document:
              line === 'speech'
                ? await spoken(ctx)
                : line.startsWith('beside')
                  ? await beside(ctx, line === 'beside' ? '.srt' : '.vtt')
                  : line,
            metadata: { [line]: 1, [`made ${made++}`]: 1 },
          })
      }
      return { contentType: 'text/plain', steps: { lines: { state: 'done', records: lines.length } } }
    },
  }
}

const spoken = async ({ transcribe, signal }: ProcessContext) =>
  (await transcribe?.(new Float32Array(3), signal))?.map(({ text }) => text).join(' ') ?? 'nobody listens'

async function beside({ sibling }: ProcessContext, extension: string): Promise<string> {
  const file = await sibling?.(extension)
  return file === undefined ? 'nothing beside it' : new TextDecoder().decode(await file.read(0, file.sizeBytes))
}
