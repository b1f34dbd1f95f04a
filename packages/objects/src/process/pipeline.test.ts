import { accessBytes } from '@siltstone/processors'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadPipeline } from './pipeline.ts'

afterEach(() => vi.unstubAllEnvs())

describe('the pipeline', () => {
  it('has speech transcribed by Amazon Transcribe where a bucket for the audio is named', async () => {
    vi.stubEnv('SILTSTONE_TRANSCRIBE_BUCKET', 's3://talks')
    await expect(loadPipeline()).rejects.toMatchObject({ code: 'transcriber-option', field: 'bucket' })
    vi.stubEnv('SILTSTONE_TRANSCRIBE_BUCKET', 'talks')
    vi.stubEnv('SILTSTONE_TRANSCRIBE_LANGUAGE', 'de-DE')
    const pipeline = await loadPipeline()
    expect(pipeline.transcriber).toBe('aws-transcribe/de-DE')
    expect(await pipeline.transcribe?.(new Float32Array(0), new AbortController().signal)).toEqual([])
    const source = accessBytes(new TextEncoder().encode('# A heading\n\nAnd a passage of text.\n'))
    const { name, version } = await pipeline.choose(source, 'text/markdown')
    expect(pipeline.versionOf(name)).toBe(version)
    await pipeline.close()
  })

  it('takes a model of whisper.cpp that is named', async () => {
    vi.stubEnv('SILTSTONE_WHISPER_MODEL', '/models/ggml-base.bin')
    const pipeline = await loadPipeline()
    expect(pipeline.transcriber).toContain('ggml-base')
    await pipeline.close()
  })
})
