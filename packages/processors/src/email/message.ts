/** One e-mail message (RFC 5322, MIME): its header fields, its text as blocks, its attachments as bytes. */
import type { Address, Email } from 'postal-mime'
import { type Block, oneLine } from '../blocks.ts'
import { isPermanent, parsing } from '../failures.ts'
import type { FlatMetadata } from '../processor.ts'
import { htmlBlocks, textLength } from '../text/html-blocks.ts'
import { isTnef, readTnef } from './tnef.ts'

export interface Message {
  subject: string
  /** `from`, `to`, `date`, … */
  metadata: FlatMetadata
  /** The header fields as a text. */
  header: string
  blocks: Block[]
  attachments: Attachment[]
  /** What of it cannot be read, and why. */
  skipped: string[]
}

interface Attachment {
  name: string
  type: string
  bytes: Uint8Array
}

/** A plain part with a smaller share of the HTML part's text is a stub ("this message needs a browser"). */
const MIN_PLAIN_SHARE = 0.5

export async function readMessage(bytes: Uint8Array): Promise<Message> {
  const { default: PostalMime } = await import('postal-mime')
  const mail = await parsing('the message', () => PostalMime.parse(bytes, { forceRfc822Attachments: true }))
  const metadata = fieldsOf(mail)
  const attachments = mail.attachments.map(({ filename, mimeType, content }, k) => ({
    name: oneLine(filename ?? '') || `part-${k + 1}`,
    type: mimeType,
    bytes: typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content as ArrayBuffer),
  }))
  const unpacked = await unpackedFrom(mail, attachments)
  return {
    subject: oneLine(mail.subject ?? ''),
    metadata,
    header: Object.entries(metadata)
      .map(([name, value]) => `${name[0]?.toUpperCase()}${name.slice(1)}: ${value}`)
      .join('\n'),
    blocks: textOf(unpacked),
    attachments: unpacked.attachments,
    skipped: unpacked.skipped,
  }
}

type Texts = Pick<Email, 'text' | 'html'>

/** What Outlook packed into `winmail.dat` takes its place. One that cannot be read stays an attachment. */
async function unpackedFrom(
  mail: Email,
  attachments: readonly Attachment[],
): Promise<Texts & Pick<Message, 'attachments' | 'skipped'>> {
  const texts: Texts = { text: mail.text ?? '', html: mail.html ?? '' }
  const found: Attachment[] = []
  const skipped: string[] = []
  for (const attachment of attachments) {
    if (!isTnef(attachment.bytes)) {
      found.push(attachment)
      continue
    }
    try {
      const { text, html, hasRtf, attachments: packed } = await parsing('winmail.dat', () => readTnef(attachment.bytes))
      const isEmpty = oneLine(`${texts.text}${texts.html}`) === ''
      if (isEmpty) Object.assign(texts, { text, html })
      if (isEmpty && hasRtf && text === '' && html === '')
        skipped.push(`the text in ${attachment.name} is compressed RTF, which is not read`)
      for (const { name, bytes } of packed)
        found.push({ name: oneLine(name) || `part-${found.length + 1}`, type: '', bytes })
    } catch (error) {
      if (!isPermanent(error)) throw error
      skipped.push(error instanceof Error ? error.message : String(error))
    }
  }
  return { ...texts, attachments: found, skipped }
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

function textOf({ text = '', html = '' }: Texts): Block[] {
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
