/** The content type of a file whose sender did not say it: from its first bytes, else from its name. */

const at = (head: Uint8Array, offset: number, text: string): boolean =>
  Buffer.from(text, 'latin1').equals(head.subarray(offset, offset + text.length))

const SIGNATURES: readonly (readonly [type: string, matches: (head: Uint8Array) => boolean])[] = [
  ['application/pdf', (head) => at(head, 0, '%PDF-')],
  ['image/png', (head) => at(head, 0, '\u0089PNG\r\n')],
  ['image/jpeg', (head) => at(head, 0, '\u00ff\u00d8\u00ff')],
  ['image/gif', (head) => at(head, 0, 'GIF8')],
  ['image/webp', (head) => at(head, 0, 'RIFF') && at(head, 8, 'WEBP')],
  ['audio/wav', (head) => at(head, 0, 'RIFF') && at(head, 8, 'WAVE')],
  ['video/x-msvideo', (head) => at(head, 0, 'RIFF') && at(head, 8, 'AVI ')],
  ['video/quicktime', (head) => at(head, 4, 'ftypqt')],
  ['audio/mp4', (head) => at(head, 4, 'ftypM4A')],
  ['video/mp4', (head) => at(head, 4, 'ftyp')],
  ['video/webm', (head) => at(head, 0, '\u001a\u0045\u00df\u00a3') && holds(head, 'webm')],
  ['video/x-matroska', (head) => at(head, 0, '\u001a\u0045\u00df\u00a3')],
  ['audio/ogg', (head) => at(head, 0, 'OggS')],
  ['audio/flac', (head) => at(head, 0, 'fLaC')],
  ['audio/mpeg', (head) => at(head, 0, 'ID3')],
  ['application/gzip', (head) => at(head, 0, '\u001f\u008b')],
]

/** By the end of the name, in lower case. ZIP containers of documents cannot be told apart by their first bytes. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  avi: 'video/x-msvideo',
  css: 'text/css',
  csv: 'text/csv',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  eml: 'message/rfc822',
  epub: 'application/epub+zip',
  htm: 'text/html',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  jsonl: 'application/jsonl',
  m4a: 'audio/mp4',
  markdown: 'text/markdown',
  md: 'text/markdown',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  srt: 'application/x-subrip',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  vtt: 'text/vtt',
  webm: 'video/webm',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'application/xml',
  zip: 'application/zip',
}

export function contentTypeOf(name: string, head: Uint8Array): string {
  const signature = SIGNATURES.find(([, matches]) => matches(head))
  if (signature !== undefined) return signature[0]
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  return EXTENSIONS[extension] ?? (at(head, 0, 'PK\u0003\u0004') ? 'application/zip' : 'application/octet-stream')
}

function holds(head: Uint8Array, text: string): boolean {
  return Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 64)).includes(text)
}
