/**
 * The XML of S3: written from plain values, read into a small tree. No DTD, no entities beyond the five of XML.
 *
 * Keys may hold characters that XML 1.0 cannot, U+0001 for example. Like S3, the face refuses them in a request, so no key is
 * mistaken for another, and answers them as references (`&#x1;`), which strict readers refuse: lists have `encoding-type=url`.
 */
import { S3Error } from './s3-error.ts'

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** An array repeats its element; undefined leaves it out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue }

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

// oxlint-disable-next-line no-control-regex -- what XML 1.0 cannot hold
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u

/** A text for people: what XML cannot hold becomes U+FFFD, so that every reader can read it. */
export const readableXml = (text: string): string => text.replaceAll(new RegExp(FORBIDDEN, 'gu'), '\ufffd')

export function escapeXml(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters need a reference
    /[&<>"'\u0000-\u001f\u007f\ufffe\uffff]/g,
    (one) => ESCAPES[one] ?? `&#x${one.charCodeAt(0).toString(16)};`,
  )
}

function element(name: string, value: XmlValue, attributes = ''): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((one) => element(name, one as XmlValue)).join('')
  if (typeof value !== 'object') return `<${name}${attributes}>${escapeXml(String(value))}</${name}>`
  const inner = Object.entries(value as Record<string, XmlValue>).map(([child, one]) => element(child, one))
  return `<${name}${attributes}>${inner.join('')}</${name}>`
}

export function xmlDocument(root: string, value: XmlValue, namespace: string | null = S3_NAMESPACE): string {
  const attributes = namespace === null ? '' : ` xmlns="${namespace}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value, attributes)}`
}

export interface XmlElement {
  /** Without a prefix. */
  name: string
  text: string
  children: XmlElement[]
}

const MAX_DEPTH = 20
const TOKEN =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s/>!?]+)((?:[^>"']|"[^"]*"|'[^']*')*)>|([^<]+)/gy

/** @throws S3Error MalformedXML */
export function parseXml(text: string): XmlElement {
  const top: XmlElement = { name: '', text: '', children: [] }
  const open = [top]
  let end = 0
  TOKEN.lastIndex = 0
  const source = text.replace(/^\ufeff/, '')
  checkCharacters(source)
  for (let match = TOKEN.exec(source); match !== null; match = TOKEN.exec(source)) {
    end = TOKEN.lastIndex
    const [, cdata, slash, qualified, attributes = '', plain] = match
    const current = open.at(-1) as XmlElement
    if (cdata !== undefined) current.text += cdata
    else if (plain !== undefined) current.text += unescapeXml(plain)
    else if (qualified !== undefined) {
      const name = qualified.slice(qualified.indexOf(':') + 1)
      if (slash === '/') {
        if (open.length === 1 || current.name !== name) throw malformed(`</${name}> closes nothing`)
        open.pop()
        continue
      }
      const child: XmlElement = { name, text: '', children: [] }
      current.children.push(child)
      if (attributes.endsWith('/') || qualified.endsWith('/')) {
        child.name = name.replace(/\/$/, '')
        continue
      }
      if (open.length > MAX_DEPTH) throw malformed('it is nested too deeply')
      open.push(child)
    }
  }
  const [root, ...more] = top.children
  if (end !== source.length || open.length > 1 || root === undefined || more.length > 0)
    throw malformed('it is not one well-formed element')
  return root
}

function unescapeXml(text: string): string {
  return text.replaceAll(/&([^;&\s]*);?/g, (all, name: string) => {
    const named = Object.entries(ESCAPES).find(([, escape]) => escape === all)
    if (named !== undefined) return named[0]
    const number = /^#(?:x([0-9a-f]+)|(\d+))$/i.exec(name)
    const code =
      number === null ? Number.NaN : Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16)
    if (!(code <= 0x10ffff)) throw malformed(`there is no entity ${all}`)
    const character = String.fromCodePoint(code)
    checkCharacters(character)
    return character
  })
}

/** @throws S3Error MalformedXML */
function checkCharacters(text: string): void {
  const found = FORBIDDEN.exec(text)?.[0].codePointAt(0)
  if (found === undefined) return
  const shown = found.toString(16).toUpperCase().padStart(4, '0')
  throw malformed(
    `XML 1.0 cannot hold the character U+${shown}. Name an object with it in the URL: delete it with DeleteObject`,
  )
}

function malformed(problem: string): S3Error {
  return new S3Error('MalformedXML', `The XML of the body cannot be read: ${problem}.`)
}

export const childrenOf = (of: XmlElement, name: string): XmlElement[] => of.children.filter((one) => one.name === name)

export function childText(of: XmlElement, name: string): string | undefined {
  return of.children.find((one) => one.name === name)?.text
}
