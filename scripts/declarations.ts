/** Gathers the declarations that a package's own name, for a package that is published as a bundle. */
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/**
 * @param root the folder of the compiled declarations
 * @param entry a path in it
 * @param faces where the declarations of other packages lie in it, by specifier
 * @returns the text of each declaration file that `entry` reaches, by the path at which it is published: `index.d.ts` for
 *   `entry`, and below `types/` for the others
 */
export function declarationsFrom(
  root: string,
  entry: string,
  faces: Readonly<Record<string, string>>,
): Map<string, string> {
  const placeOf = (path: string) => (path === entry ? 'index.d.ts' : posix.join('types', path))
  const texts = new Map<string, string>()
  const visit = (path: string): void => {
    const place = placeOf(path)
    if (texts.has(place)) return
    texts.set(place, '')
    const redirect = (_: string, before: string, specifier: string): string => {
      const face = faces[specifier]
      if (face === undefined && !specifier.startsWith('.')) throw new Error(`${path} imports ${specifier}`)
      const target = face ?? posix.join(dirname(path), specifier.replace(/\.[jt]s$/, '.d.ts'))
      visit(target)
      const relative = posix.relative(dirname(place), placeOf(target)).replace(/\.d\.ts$/, '.js')
      return `${before}'${relative.startsWith('.') ? relative : `./${relative}`}'`
    }
    const text = readFileSync(join(root, path), 'utf8')
    texts.set(place, text.replaceAll(/(\bfrom\s*|\bimport\()["']([^"']+)["']/g, redirect))
  }
  visit(entry)
  return texts
}
