/** The files of the repository, and where the site has them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Paths from the root, of what is or will be committed. */
export function repositoryFiles(): Set<string> {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return new Set(listed.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path))))
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/**
 * The page of a file or folder: pages of `docs/` are at the root of the site, and all others below `repository/`.
 * `docs/how-to/filter.md` → `how-to/filter.html`, `docs/README.md` → `index.html`, `deploy` → `repository/deploy/index.html`
 */
export function pageOf(path: string, isFolder = false): string {
  const place =
    path === 'docs' || path.startsWith('docs/') ? path.slice('docs'.length + 1) : posix.join('repository', path)
  if (isFolder) return posix.join(place, 'index.html')
  if (posix.basename(path) === 'README.md') return posix.join(posix.dirname(place), 'index.html')
  return place.endsWith('.md') ? place.replace(/\.md$/, '.html') : `${place}.html`
}

/** A link from one page to another. */
export function linkBetween(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to) || posix.basename(to)
}
