import { describe, expect, it } from 'vitest'
import { htmlProcessor } from '../text/html-processor.ts'
import { textProcessor } from '../text/text-processor.ts'
import { collect, documentsOf } from '../testing/context.ts'
import { emailProcessor } from './email-processor.ts'

const processor = emailProcessor([textProcessor, htmlProcessor])
const HEADER =
  'From: Ada Lovelace <ada@example.com>\nTo: bob@example.com\nSubject: =?utf-8?q?Fl=C3=BCsse?=\nDate: Fri, 1 Mar 2024 10:00:00 +0000\nMIME-Version: 1.0\n'

const multipart = (parts: readonly string[], boundary = 'b1') =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\n\n${parts.map((part) => `--${boundary}\n${part}\n`).join('')}--${boundary}--\n`
const attachment = (name: string, type: string, content: string) =>
  `Content-Type: ${type}\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n${Buffer.from(content).toString('base64')}`

/** A message inside a message, `depth` times; the innermost one has a text of its own. */
const nested = (depth: number): string =>
  depth === 0
    ? `${HEADER}Content-Type: text/plain\n\nThe innermost words.\n`
    : `${HEADER}${multipart([`Content-Type: text/plain\n\nLevel ${depth}.`, `Content-Type: message/rfc822\nContent-Disposition: attachment; filename="m${depth}.eml"\n\n${nested(depth - 1)}`], `b${depth}`)}`

describe('e-mail', () => {
  it('gives header, text and attachments, each with its place', async () => {
    const mail =
      HEADER +
      multipart([
        'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nDer Flu=DF steigt.',
        attachment('notes.bin', 'application/octet-stream', 'Rivers carry sand to the sea.'),
      ])
    const { records, summary } = await collect(processor, mail)
    expect(records).toMatchObject([
      {
        kind: 'container',
        metadata: { from: 'Ada Lovelace <ada@example.com>', subject: 'Flüsse', to: 'bob@example.com' },
      },
      { kind: 'passage', document: 'Der Fluß steigt.', metadata: { heading: 'Flüsse' } },
      { kind: 'attachment', document: 'notes.bin (application/octet-stream, 29 bytes)' },
      {
        kind: 'passage',
        step: 'attachment-1/text',
        document: 'Rivers carry sand to the sea.',
        metadata: { attachment: 'notes.bin' },
      },
    ])
    expect(summary).toMatchObject({ metadata: { attachments: 1 }, steps: { 'attachment-1/text': { state: 'done' } } })
  })

  it('gives what Outlook packs into winmail.dat', async () => {
    const number = (value: number, bytes = 4) => {
      const out = Buffer.alloc(bytes)
      out.writeUIntLE(value, 0, bytes)
      return out
    }
    const attribute = (id: number, data: Buffer) =>
      Buffer.concat([number(1, 1), number(id), number(data.length), data, number(0, 2)])
    const padded = (data: Buffer) =>
      Buffer.concat([number(data.length), data, Buffer.alloc((4 - (data.length % 4)) % 4)])
    const wide = (text: string) => Buffer.from(`${text}\0`, 'utf16le')
    const properties = (...list: Buffer[]) => Buffer.concat([number(list.length), ...list])
    const named = Buffer.concat([number(0x80000003), Buffer.alloc(16), number(1), padded(wide('name')), number(7)])
    const tnef = Buffer.concat([
      number(0x223e9f78),
      number(1, 2),
      attribute(0x00069007, number(1_252)),
      attribute(
        0x00069003,
        properties(named, Buffer.concat([number(0x1000001f), number(1), padded(wide('Die Brücke ist gesperrt.'))])),
      ),
      attribute(0x00069002, Buffer.alloc(14)),
      attribute(0x00018010, Buffer.from('FLUESS~1.TXT\0', 'latin1')),
      attribute(0x0006800f, Buffer.from('Rivers carry sand to the sea.')),
      attribute(
        0x00069005,
        properties(Buffer.concat([number(0x3707001f), number(1), padded(wide('Flüsse im März.txt'))])),
      ),
    ])
    const packed = (bytes: Buffer) =>
      HEADER +
      multipart([
        `Content-Type: application/ms-tnef\nContent-Disposition: attachment; filename="winmail.dat"\nContent-Transfer-Encoding: base64\n\n${bytes.toString('base64')}`,
      ])
    const { records } = await collect(processor, packed(tnef))
    expect(records).toMatchObject([
      { kind: 'container' },
      { kind: 'passage', document: 'Die Brücke ist gesperrt.' },
      { kind: 'attachment', document: 'Flüsse im März.txt (29 bytes)' },
      { kind: 'passage', document: 'Rivers carry sand to the sea.', metadata: { attachment: 'Flüsse im März.txt' } },
    ])
    for (const length of [7, 30, 80, tnef.length - 60]) {
      const { summary } = await collect(processor, packed(tnef.subarray(0, length)))
      expect(summary.steps['winmail-1']).toMatchObject({ state: 'skipped', reason: expect.stringContaining('cut off') })
    }
  })

  it('is not failed by an attachment that nothing reads', async () => {
    const { summary } = await collect(
      processor,
      HEADER + multipart([attachment('a.bin', 'application/pdf', '\0\x01\x02\x03\x04')]),
    )
    expect(summary.steps['attachment-1/content']).toMatchObject({
      state: 'skipped',
      reason: expect.stringMatching(/octet-stream/),
    })
  })

  it('reads three levels of messages, and no more', async () => {
    const two = await collect(processor, nested(2))
    expect(documentsOf(two)).toContain('The innermost words.')
    const inner = two.records.find(({ document }) => document === 'The innermost words.')
    expect(inner?.metadata['attachment']).toBe('m2.eml/m1.eml')
    const three = await collect(processor, nested(3))
    expect(documentsOf(three).join(' ')).toContain('Level 1.')
    expect(three.records.filter(({ kind }) => kind === 'container')).toHaveLength(3)
  })

  it('takes the HTML part when the plain part is a stub', async () => {
    const html = `<p>${'The bridge is closed until the water has fallen. '.repeat(4)}</p>`
    const mail = `${HEADER}Content-Type: multipart/alternative; boundary="x"\n\n--x\nContent-Type: text/plain\n\nUse HTML.\n--x\nContent-Type: text/html\n\n${html}\n--x--\n`
    expect(documentsOf(await collect(processor, mail)).join(' ')).toMatch(/bridge is closed/)
  })

  it('reads every message of a mailbox', async () => {
    const mail = (text: string) => `From ada@example.com Fri Mar  1 10:00:00 2024\n${HEADER}\n${text}\n\n`
    const { records } = await collect(processor, mail('One river.') + mail('Two rivers.'))
    expect(records.filter(({ kind }) => kind === 'passage')).toMatchObject([
      { document: 'One river.', metadata: { message: 1 } },
      { document: 'Two rivers.', metadata: { message: 2 } },
    ])
  })
})
