/** Whether one place lies in another, as far as their names tell. */
import { resolve, sep } from 'node:path'
import { isUrl } from '../drivers/open-environment.ts'

/** @param place a directory or a URL, as `outer` */
export function isPlaceWithin(place: string, outer: string): boolean {
  if (isUrl(place) !== isUrl(outer)) return false
  if (!isUrl(place)) return isBelow(resolve(place), resolve(outer), sep)
  const [a, b] = [new URL(place), new URL(outer)]
  const pathOf = ({ pathname }: URL) => pathname.replace(/\/+$/, '')
  return a.protocol === b.protocol && a.host === b.host && isBelow(pathOf(a), pathOf(b), '/')
}

function isBelow(path: string, folder: string, separator: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(separator) ? folder : folder + separator)
}
