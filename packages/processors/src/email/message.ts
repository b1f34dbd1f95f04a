/** One e-mail message (RFC 5322, MIME): its header fields, its text as blocks, its attachments as bytes. */
import type { Address, Email } from 'postal-mime'
import { type Block, oneLine } from '../blocks.ts'
import { parsing } from '../failures.ts'
import type { FlatMetadata } from '../processor.ts'
import { htmlBlocks, textLength } from '../text/html-blocks.ts'

export interface Message {
  subject: string
  /** `from`, `to`, `date`, … */
  metadata: FlatMetadata
  /** The header fields as a text. */
  header: string
  blocks: Block[]
  attachments: { name: string; type: string; bytes: Uint8Array }[]
}

/** A plain part with a smaller share of the HTML part's text is a stub ("this message needs a browser"). */
const MIN_PLAIN_SHARE = 0.5

export async function readMessage(bytes: Uint8Array): Promise<Message> {
  const { default: PostalMime } = await import('postal-mime')
  const mail = await parsing('the message', () => PostalMime.parse(bytes, { forceRfc822Attachments: true }))
  const metadata = fieldsOf(mail)
  return {
    subject: oneLine(mail.subject ?? ''),
    metadata,
    header: Object.entries(metadata)
      .map(([name, value]) => `${name[0]?.toUpperCase()}${name.slice(1)}: ${value}`)
      .join('\n'),
    blocks: textOf(mail),
    attachments: mail.attachments.map(({ filename, mimeType, content }, k) => ({
      name: oneLine(filename ?? '') || `part-${k + 1}`,
      type: mimeType,
      bytes: typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content as ArrayBuffer),
    })),
  }
}

function fieldsOf(mail: Email): FlatMetadata {
  const fields: FlatMetadata = {}
  const add = (name: string, value: string | undefined) => {
    const line = oneLine(value ?? '')
    if (line !== '') fields[name] = line.slice(0, 2_000)
  }
  add('subject', mail.subject)
  add('from', mail.from && nameOf(mail.from))
  add('to', mail.to?.map(nameOf).join(', '))
  add('cc', mail.cc?.map(nameOf).join(', '))
  add('date', mail.date)
  return fields
}

const nameOf = (address: Address): string =>
  address.group
    ? `${address.name}: ${address.group.map(nameOf).join(', ')}`
    : address.name
      ? `${address.name} <${address.address}>`
      : address.address

function textOf({ text = '', html = '' }: Email): Block[] {
  const plain = text.split(/\n[^\S\n]*\n/).map((part): Block => ({ text: part }))
  if (html === '') return plain
  const { blocks } = htmlBlocks(html)
  return oneLine(text).length >= textLength(blocks) * MIN_PLAIN_SHARE ? plain : blocks
}

/** The messages of a mailbox file (RFC 4155), or the one message that the bytes are. */
export function messagesOf(bytes: Uint8Array): Uint8Array[] {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (mail.subarray(0, 5).toString('latin1') !== 'From ') return [bytes]
  const messages: Uint8Array[] = []
  let start = 0
  while (start < mail.length) {
    const body = mail.indexOf('\n', start) + 1
    const next = body === 0 ? -1 : mail.indexOf('\nFrom ', body)
    const end = next < 0 ? mail.length : next + 1
    if (body > 0) messages.push(mail.subarray(body, end))
    start = end
  }
  return messages
}
