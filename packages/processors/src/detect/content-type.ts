/**
 * What an object is, from its content. The stored type and the name are hints only between kinds of text that look alike
 * (Markdown, CSV, code): a wrong suffix or type never sends an object to the wrong processor.
 */
import { magicType } from './magic.ts'
import { charsetOf, decodeText, sniffText } from './text-encoding.ts'

/** How many of the first bytes `Processor.accepts` gets. */
export const HEAD_BYTES = 4_096

/**
 * The content type of the first bytes: a binary format, `text/html`, `message/rfc822`, `text/vtt`, `application/x-subrip`,
 * `text/plain` for other text, or `application/octet-stream`.
 */
export function contentType(head: Uint8Array, declared = ''): string {
  const magic = magicType(head)
  if (magic !== undefined) return magic
  const sniffed = sniffText(head, head.length < HEAD_BYTES, charsetOf(declared))
  return sniffed ? textType(decodeText(head, sniffed)) : 'application/octet-stream'
}

export const typeOf = (declared: string): string => (declared.split(';')[0] ?? '').trim().toLowerCase()

const CUE_TIME = String.raw`\d{1,2}:\d{2}:\d{2}[,.]\d{1,3}`
const SUBRIP = new RegExp(String.raw`^\s*\d+\s*\n${CUE_TIME}\s*-->\s*${CUE_TIME}`)

/** The kind of a text, from its beginning. */
function textType(text: string): string {
  const start = text.trimStart()
  if (/^WEBVTT(?:\s|$)/.test(start)) return 'text/vtt'
  if (SUBRIP.test(text)) return 'application/x-subrip'
  if (isMessage(text)) return 'message/rfc822'
  return isHtml(start) ? 'text/html' : 'text/plain'
}

function isHtml(start: string): boolean {
  const markup = start.replace(/^<\?xml[^>]*\?>\s*/, '').replace(/^(?:<!--[\s\S]*?-->\s*)+/, '')
  if (/^<!doctype\s+html|^<html[\s>]|^<head[\s>]|^<body[\s>]/i.test(markup)) return true
  // A fragment: Markdown may begin with an element too, but does not consist of them.
  if (!/^<(?:div|p|h[1-6]|article|section|main|table|ul|ol|header|meta|title|link)[\s>]/i.test(markup)) return false
  const elements = markup.match(/<\/?[a-z][^<>]*>/gi)?.join('').length ?? 0
  const markdown = /^(?:#{1,6} |```|\s*[-*] |\d+\. )/m.test(markup)
  return !markdown && elements > markup.length * 0.1
}

const HEADER = /^([A-Za-z][A-Za-z0-9-]*):[ \t]?/
const MESSAGE_HEADERS = new Set([
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'received',
  'return-path',
  'message-id',
  'mime-version',
  'delivered-to',
  'content-type',
  'reply-to',
])

/** A block of header fields: three of those of messages, those of MIME, or any after the line that begins a mailbox. */
function isMessage(text: string): boolean {
  const isMailbox = /^From \S+ .*\d\d:\d\d.*\d{4}\n[A-Za-z][A-Za-z0-9-]*:/.test(text)
  if (isMailbox) return true
  const lines = text.split('\n')
  const found = new Set<string>()
  for (const line of lines) {
    if (line === '') break
    if (/^[ \t]/.test(line) && found.size > 0) continue
    const name = HEADER.exec(line)?.[1]?.toLowerCase()
    if (name === undefined) return false
    if (MESSAGE_HEADERS.has(name)) found.add(name)
    if (found.has('mime-version') && found.has('content-type')) return true
    if (found.size >= 3 && (found.has('from') || found.has('received'))) return true
  }
  return false
}
