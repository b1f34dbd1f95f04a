/**
 * `winmail.dat`: what Outlook packs text and attachments into for other Outlooks (Transport Neutral Encapsulation Format, [MS-OXTNEF];
 * property types of [MS-OXCDATA]). A text that is there as compressed RTF alone is not read.
 */
import { corruptFile } from '../failures.ts'

export interface TnefContent {
  /** '' if it is not there in this form. */
  text: string
  html: string
  hasRtf: boolean
  attachments: { name: string; bytes: Uint8Array }[]
}

const SIGNATURE = 0x223e9f78
const BODY = 0x0002800c
const MESSAGE_PROPERTIES = 0x00069003
const CODE_PAGE = 0x00069007
const ATTACHMENT_BEGINS = 0x00069002
const ATTACHMENT_TITLE = 0x00018010
const ATTACHMENT_DATA = 0x0006800f
const ATTACHMENT_PROPERTIES = 0x00069005

const TEXT_PROPERTY = 0x1000
const RTF_PROPERTY = 0x1009
const HTML_PROPERTY = 0x1013
const LONG_NAME_PROPERTY = 0x3707

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

export const isTnef = (bytes: Uint8Array): boolean =>
  bytes.length >= 6 && viewOf(bytes).getUint32(0, true) === SIGNATURE

/** @throws SiltstoneError `invalid` (corrupt-file) */
export function readTnef(bytes: Uint8Array): TnefContent {
  const content: TnefContent = { text: '', html: '', hasRtf: false, attachments: [] }
  let codePage = 1_252
  let current: { name: string; bytes: Uint8Array } | undefined
  for (const { id, data } of attributesOf(bytes)) {
    if (id === CODE_PAGE && data.length >= 4) codePage = viewOf(data).getUint32(0, true)
    else if (id === BODY) content.text ||= textOf(data, codePage)
    else if (id === MESSAGE_PROPERTIES)
      for (const { property, type, value } of propertiesOf(data)) {
        if (property === TEXT_PROPERTY) content.text ||= valueText(type, value, codePage)
        else if (property === HTML_PROPERTY) content.html ||= valueText(type, value, codePage)
        else if (property === RTF_PROPERTY) content.hasRtf = true
      }
    else if (id === ATTACHMENT_BEGINS) {
      current = { name: '', bytes: new Uint8Array(0) }
      content.attachments.push(current)
    } else if (id === ATTACHMENT_TITLE && current) current.name ||= textOf(data, codePage)
    else if (id === ATTACHMENT_DATA && current) current.bytes = data
    else if (id === ATTACHMENT_PROPERTIES && current)
      for (const { property, type, value } of propertiesOf(data))
        if (property === LONG_NAME_PROPERTY) current.name = valueText(type, value, codePage) || current.name
  }
  return { ...content, attachments: content.attachments.filter((attachment) => attachment.bytes.length > 0) }
}

/** Level, id, length, data and a checksum, which many programs write wrongly. */
function* attributesOf(bytes: Uint8Array): Generator<{ id: number; data: Uint8Array }> {
  const view = viewOf(bytes)
  for (let at = 6; at < bytes.length; ) {
    if (at + 9 > bytes.length) throw corruptFile('winmail.dat is cut off')
    const id = view.getUint32(at + 1, true)
    const length = view.getUint32(at + 5, true)
    if (at + 9 + length > bytes.length) throw corruptFile('winmail.dat is cut off')
    yield { id, data: bytes.subarray(at + 9, at + 9 + length) }
    at += 9 + length + 2
  }
}

interface Property {
  property: number
  type: number
  value: Uint8Array
}

const FIXED_BYTES: Readonly<Record<number, number>> = {
  0x02: 4,
  0x03: 4,
  0x04: 4,
  0x05: 8,
  0x06: 8,
  0x07: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
}
const VARIABLE = new Set([0x0d, 0x1e, 0x1f, 0x102])
const MANY = 0x1000
const FIRST_NAMED = 0x8000
const padded = (length: number) => Math.ceil(length / 4) * 4

/** The first value of each property. What follows a type that is not known is left out: its length is not known either. */
function* propertiesOf(data: Uint8Array): Generator<Property> {
  const view = viewOf(data)
  let at = 0
  const number = () => {
    if (at + 4 > data.length) throw corruptFile('the properties in winmail.dat are cut off')
    at += 4
    return view.getUint32(at - 4, true)
  }
  const count = number()
  for (let k = 0; k < count; k++) {
    const tag = number()
    const type = tag & 0xffff & ~MANY
    const property = tag >>> 16
    if (property >= FIRST_NAMED) {
      at += 16
      // The name is a number or a text.
      const isNumber = number() === 0
      const length = isNumber ? 4 : number()
      at += padded(length)
    }
    const fixed = FIXED_BYTES[type]
    if (fixed === undefined && !VARIABLE.has(type)) return
    const values = (tag & MANY) !== 0 || fixed === undefined ? number() : 1
    for (let n = 0; n < values; n++) {
      const length = fixed ?? number()
      if (at + length > data.length) throw corruptFile('the properties in winmail.dat are cut off')
      if (n === 0) yield { property, type, value: data.subarray(at, at + length) }
      at += padded(length)
    }
  }
}

const UNICODE_TEXT = 0x1f
const valueText = (type: number, value: Uint8Array, codePage: number): string =>
  type === UNICODE_TEXT ? withoutEnd(new TextDecoder('utf-16le').decode(value)) : textOf(value, codePage)

function textOf(bytes: Uint8Array, codePage: number): string {
  const label = codePage === 65_001 ? 'utf-8' : codePage === 932 ? 'shift_jis' : `windows-${codePage}`
  try {
    return withoutEnd(new TextDecoder(label).decode(bytes))
  } catch (error) {
    // A code page of which there is no decoder.
    if (error instanceof RangeError) return withoutEnd(new TextDecoder('windows-1252').decode(bytes))
    throw error
  }
}

const withoutEnd = (text: string) => text.replace(/\0[^]*$/, '')
