/**
 * `data-pagefind-meta`, `-default-meta`, `-filter` and `-sort`: `key`, whose value is the element's text; `key[attribute]`; `key:value`;
 * several of the first two, and at most one of the last at the end, separated by commas.
 */
import type { Element, ParentNode } from 'domhandler'
import { spaced, textOf, walk } from './walk.ts'

/** Values by key, in the order of the page. */
export type Values = Record<string, string[]>

export interface PageValues {
  /** With those of `-default-meta` where there are no others. */
  meta: Values
  filters: Values
  sorts: Values
}

export function attributeValues(root: ParentNode): PageValues {
  const meta: Values = {}
  const defaults: Values = {}
  const filters: Values = {}
  const sorts: Values = {}
  walk(root, {
    enter: (element) => {
      const { attribs } = element
      // Of `index`, the default, only the text is not found.
      if (attribs['data-pagefind-ignore'] === 'all') return false
      read(element, attribs['data-pagefind-meta'], meta)
      read(element, attribs['data-pagefind-default-meta'], defaults)
      read(element, attribs['data-pagefind-filter'], filters)
      read(element, attribs['data-pagefind-sort'], sorts)
      return true
    },
  })
  return { meta: { ...defaults, ...meta }, filters, sorts }
}

function read(element: Element, attribute: string | undefined, values: Values): void {
  let rest = attribute?.trim() ?? ''
  while (rest !== '') {
    const inline = /^([^:,[\]]+):(.*)$/s.exec(rest)
    if (inline) {
      add(values, inline[1], inline[2])
      return
    }
    const [whole = '', key, name] = /^([^,[\]]+)(?:\[([^\]]*)\])?\s*,?\s*/.exec(rest) ?? []
    if (whole === '') return
    add(values, key, name === undefined ? textOf(element) : element.attribs[name])
    rest = rest.slice(whole.length)
  }
}

function add(values: Values, key = '', value = ''): void {
  const name = key.trim()
  const text = spaced(value)
  if (name === '' || text === '') return
  if (!Object.hasOwn(values, name)) Object.defineProperty(values, name, { value: [], enumerable: true, writable: true })
  values[name]?.push(text)
}
