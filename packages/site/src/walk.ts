import { type ChildNode, type Element, isTag, isText, type ParentNode } from 'domhandler'

export interface Visitor {
  /** @returns whether what is in it is visited */
  enter?: (element: Element) => boolean
  leave?: (element: Element) => void
  text?: (data: string) => void
}

/** Visits all that is below a node, in the order of the document, however deep it is. */
export function walk(root: ParentNode, { enter, leave, text }: Visitor): void {
  const open: { parent: ParentNode; next: number }[] = [{ parent: root, next: 0 }]
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const child: ChildNode | undefined = top.parent.children[top.next++]
    if (!child) {
      open.pop()
      if (top.parent !== root) leave?.(top.parent as Element)
    } else if (isText(child)) text?.(child.data)
    else if (isTag(child) && (enter?.(child) ?? true)) open.push({ parent: child, next: 0 })
  }
}

/** In the order of the document. @param nested also those that lie in others */
export function elementsOf(root: ParentNode, wanted: (element: Element) => boolean, nested = true): Element[] {
  const found: Element[] = []
  walk(root, {
    enter: (element) => {
      const isWanted = wanted(element)
      if (isWanted) found.push(element)
      return nested || !isWanted
    },
  })
  return found
}

/** @param skip elements whose text does not count */
export function textOf(root: ParentNode, skip: (element: Element) => boolean = () => false): string {
  const parts: string[] = []
  walk(root, { enter: (element) => !skip(element), text: (data) => parts.push(data) })
  return spaced(parts.join(''))
}

export const spaced = (text: string): string => text.replaceAll(/\s+/gu, ' ').trim()
