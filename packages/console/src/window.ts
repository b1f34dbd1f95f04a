/**
 * Which rows of a long table are in the document. Browsers bound the height of an element, so beyond `MAX_PX` the scroll
 * bar moves over more than one row per row height.
 */
export const ROW_PX = 36
const MAX_PX = 8_000_000
const EXTRA_ROWS = 8

export interface RowWindow {
  /** Height of the whole table. */
  heightPx: number
  /** The first row and the number of rows in the document. */
  first: number
  rows: number
  /** Where the first row is. */
  topPx: number
}

export function rowWindow(total: number, scrollPx: number, viewPx: number): RowWindow {
  const realPx = total * ROW_PX
  const heightPx = Math.min(realPx, MAX_PX)
  const visible = Math.ceil(viewPx / ROW_PX)
  const wanted = Math.min(total, visible + 2 * EXTRA_ROWS)
  const reach = Math.max(1, heightPx - viewPx)
  const at = Math.min(Math.max(0, scrollPx), reach)
  const scale = realPx > heightPx ? Math.max(0, realPx - viewPx) / reach : 1
  const top = Math.floor((at * scale) / ROW_PX)
  const first = Math.max(0, Math.min(total - wanted, top - EXTRA_ROWS))
  return { heightPx, first, rows: wanted, topPx: at - (at * scale - first * ROW_PX) }
}
