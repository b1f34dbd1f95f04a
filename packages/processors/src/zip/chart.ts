/** Charts in documents (ECMA-376, DrawingML charts): the title, and each series with its categories and values. */
import { oneLine } from '../blocks.ts'
import { readXml } from './xml.ts'

/** More values are measurements, which nobody searches for one by one. */
const MAX_VALUES = 50

export function chartLines(xml: string): string[] {
  const lines: string[] = []
  let title = ''
  let name = ''
  let categories: string[] = []
  let values: string[] = []
  let value = ''
  readXml(xml, {
    open(element) {
      if (element === 'ser') {
        name = ''
        categories = []
        values = []
      } else if (element === 'v') value = ''
    },
    text(data, path) {
      if (path.at(-1) === 'v') value += data
      else if (path.at(-1) === 't' && path.includes('title')) title += data
    },
    close(element, path) {
      if (element === 'v' && path.includes('ser')) {
        if (path.includes('tx')) name += value
        else if (path.includes('cat') || path.includes('xVal')) categories.push(value)
        else if (path.includes('val') || path.includes('yVal')) values.push(value)
      } else if (element === 'ser') lines.push(oneLine(`${name === '' ? '' : `${name}: `}${pairs(categories, values)}`))
    },
  })
  return [oneLine(title), ...lines].filter((line) => line !== '')
}

const pairs = (categories: readonly string[], values: readonly string[]) =>
  values
    .slice(0, MAX_VALUES)
    .map((value, k) => [categories[k] ?? '', value].join(' ').trim())
    .join(', ')
