import { describe, expect, it } from 'vitest'
import { accessBytes } from '../access.ts'
import { builtInProcessors } from '../built-in.ts'
import { pageOfText, writePdf } from '../testing/pdf-writer.ts'
import { collectRecords } from './collect-records.ts'

describe('one file', () => {
  it('is processed by content, without vectors where no embedder is given', async () => {
    const source = accessBytes(
      writePdf([pageOfText(['# Silt', 'Rivers carry sand and clay to the sea, and the sea keeps it.'])]),
    )
    const plain = await collectRecords(builtInProcessors(), source, { type: 'text/plain', name: 'notes.txt' })
    expect(plain).toMatchObject({ processor: 'pdf', records: [{ metadata: { page: 1, heading: 'Silt' } }] })
    expect(plain.records[0]).not.toHaveProperty('embedding')
    const embedText = async (texts: readonly string[]) => texts.map((text) => Float32Array.of(text.length))
    const embedded = await collectRecords(builtInProcessors(), source, { embedText })
    expect(embedded.records[0]?.embedding).toEqual(
      Float32Array.of('Silt\n'.length + (plain.records[0]?.document.length ?? 0)),
    )
  })

  it('of a kind that nothing reads is refused', async () => {
    const program = accessBytes(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0))
    await expect(collectRecords(builtInProcessors(), program)).rejects.toMatchObject({ code: 'unsupported-type' })
  })
})
