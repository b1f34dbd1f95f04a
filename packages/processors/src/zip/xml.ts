/** XML as a stream of elements. Names lose their namespace prefix; entities other than the five of XML stay as they are. */
import { Parser } from 'htmlparser2'
import { corruptFile } from '../failures.ts'

export interface XmlHandlers {
  /** @param path names of the open elements, the new one last */
  open?: (name: string, attributes: Readonly<Record<string, string>>, path: readonly string[]) => void
  text?: (text: string, path: readonly string[]) => void
  close?: (name: string, path: readonly string[]) => void
}

const MAX_DEPTH = 1_000

const local = (name: string) => name.slice(name.indexOf(':') + 1)

export function readXml(xml: string, { open, text, close }: XmlHandlers): void {
  const path: string[] = []
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        path.push(local(name))
        if (path.length > MAX_DEPTH) throw corruptFile(`elements are nested more than ${MAX_DEPTH} deep`)
        open?.(local(name), localNames(attributes), path)
      },
      ontext: (data) => text?.(data, path),
      onclosetag(name) {
        close?.(local(name), path)
        path.pop()
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(xml)
}

/** Of `id` and `r:id`, the one with a prefix counts: it is the reference to another part. */
function localNames(attributes: Record<string, string>): Record<string, string> {
  // Sheets have millions of elements, whose attributes have no prefix.
  let hasPrefix = false
  for (const name in attributes) hasPrefix ||= name.includes(':')
  if (!hasPrefix) return attributes
  const entries = Object.entries(attributes)
  const [plain, prefixed] = [false, true].map((is) => entries.filter(([name]) => name.includes(':') === is))
  return Object.fromEntries([...(plain ?? []), ...(prefixed ?? [])].map(([name, value]) => [local(name), value]))
}

/** The targets of a part's relations (ECMA-376 part 2) by id, as names of members. */
export function relationsOf(xml: string | undefined, folder: string): Map<string, { target: string; type: string }> {
  const relations = new Map<string, { target: string; type: string }>()
  readXml(xml ?? '', {
    open(name, { Id, Target, Type = '', TargetMode }) {
      if (name === 'Relationship' && Id !== undefined && Target !== undefined && TargetMode !== 'External')
        relations.set(Id, { target: resolveName(folder, Target), type: Type.slice(Type.lastIndexOf('/') + 1) })
    },
  })
  return relations
}

/** A member's name, relative to a folder; `..` and a leading `/` are resolved. */
export function resolveName(folder: string, target: string): string {
  const parts = target.startsWith('/') ? [] : folder.split('/')
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.filter((part) => part !== '').join('/')
}

export const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')))
