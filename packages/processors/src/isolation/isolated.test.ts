import { spawnSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { accessBytes } from '../access.ts'
import type { ProcessContext, Processor } from '../processor.ts'
import { chooseProcessor } from '../registry.ts'
import { collect } from '../testing/context.ts'
import { pageOfText, writePdf } from '../testing/pdf-writer.ts'
import { type IsolatedProcessors, isolatedProcessors } from './isolated.ts'

const modules = [new URL('../testing/misbehaving.ts', import.meta.url).href]
const opened: IsolatedProcessors[] = []
afterAll(() => Promise.all(opened.map((processes) => processes.close())))

async function processors(options: Parameters<typeof isolatedProcessors>[0] = {}) {
  const processes = await isolatedProcessors({ modules, heartbeatMs: 20, ...options })
  opened.push(processes)
  const named = (name: string) => processes.processors.find((processor) => processor.name === name) as Processor
  return {
    processes,
    named,
    misbehave: (request: string, more: Partial<ProcessContext> = {}) => collect(named('misbehaving'), request, more),
  }
}

describe('processors in processes', () => {
  it('give the same records as in the process of the caller', async () => {
    const { processes } = await processors()
    const bytes = writePdf([pageOfText(['# Silt', 'Rivers carry sand and clay to the sea, and the sea keeps it.'])])
    const { processor } = await chooseProcessor(processes.processors, accessBytes(bytes), '')
    const inProcess = await collect(processor, bytes)
    const { pdfProcessor } = await import('../pdf/pdf-processor.ts')
    const here = await collect(pdfProcessor, bytes)
    expect(inProcess.records).toEqual(here.records)
    expect(inProcess.records[0]?.embedding).toBeInstanceOf(Float32Array)
  })

  it('pass permanent errors, and errors of the caller, as they are', async () => {
    const { named, misbehave } = await processors()
    const locked = writePdf([[]], { isLocked: true })
    await expect(collect(named('pdf'), locked)).rejects.toMatchObject({ kind: 'invalid', code: 'encrypted' })
    const away = new Error('the bucket is away')
    const failing = collect(named('text'), { sizeBytes: 3, read: async () => Promise.reject(away) })
    await expect(failing).rejects.toBe(away)
    await expect(collect(named('text'), 'Words.', { emit: async () => Promise.reject(away) })).rejects.toBe(away)
    await expect(misbehave('throw')).rejects.toMatchObject({ name: 'TypeError', message: 'a mistake' })
  })

  it('say what can be searched before the rest', async () => {
    const { misbehave } = await processors()
    const published: unknown[] = []
    await misbehave('publish', { publish: async (steps) => void published.push(steps) })
    expect(published).toEqual([{ publish: { state: 'done', records: 2 } }])
    expect((await misbehave('publish')).summary.contentType).toBe('test/misbehaving')
  })

  it('survive a promise that a parser drops', async () => {
    const { misbehave } = await processors()
    expect((await misbehave('stray')).summary.contentType).toBe('test/misbehaving')
  })

  it('are ended when a step takes too long; heartbeats go on meanwhile', async () => {
    const { named, misbehave } = await processors({ stepMs: 1_500 })
    const beats: string[] = []
    const heartbeat = async (step: string) => void beats.push(step)
    await expect(misbehave('loop', { heartbeat })).rejects.toMatchObject({ kind: 'unavailable', code: 'step-timeout' })
    expect(beats.length).toBeGreaterThan(3)
    expect((await collect(named('text'), 'Words after that.')).records).toHaveLength(1)
  })

  it('are ended when they need too much memory, of objects or of buffers', async () => {
    const { misbehave } = await processors({ memoryBytes: 96 * 1024 * 1024 })
    await expect(misbehave('buffers')).rejects.toMatchObject({ kind: 'invalid', code: 'memory-limit' })
    await expect(misbehave('objects')).rejects.toMatchObject({ kind: 'invalid', code: 'memory-limit' })
  })

  it('stop when they are cancelled, at once or by force', async () => {
    const { misbehave } = await processors()
    for (const request of ['wait', 'loop']) {
      const controller = new AbortController()
      const lost = new Error('lost the claim')
      const heartbeat = async (step: string) => {
        if (step === request) controller.abort(lost)
      }
      await expect(misbehave(request, { signal: controller.signal, heartbeat })).rejects.toBe(lost)
    }
    await expect(misbehave('wait', { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early')
  })

  it('take their child processes with them', async () => {
    const { misbehave } = await processors()
    const controller = new AbortController()
    const lost = new Error('lost the claim')
    const documents: string[] = []
    const emit: ProcessContext['emit'] = async ({ document }) => {
      documents.push(document)
      controller.abort(lost)
    }
    await expect(misbehave('child', { emit, signal: controller.signal })).rejects.toBe(lost)
    const pid = Number(documents[0])
    expect(pid).toBeGreaterThan(1)
    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('fail the job when its heartbeat fails: the claim is lost', async () => {
    const { misbehave } = await processors()
    const lost = new Error('the claim is lost')
    await expect(misbehave('loop', { heartbeat: async () => Promise.reject(lost) })).rejects.toBe(lost)
  })
})

/** A process that was killed stays in the table until its parent ends, because the process that waited for it is gone. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}
