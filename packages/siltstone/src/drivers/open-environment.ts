/** Opens a store's environment by its place: a directory, or a URL whose scheme is registered (`s3://bucket/prefix`, `sqlite:///file`). */
import { invalid } from '../errors.ts'
import type { Environment } from '../ports/environment.ts'
import { type DirectoryEnvironmentOptions, openEnvironment } from './directory/directory-environment.ts'
import { instrumented } from './instrumented.ts'
import { loadAws } from './load-aws.ts'
import { IN_MEMORY, parseSqlitePlace } from './sqlite/sqlite-place.ts'

export type OpenPlace = (place: string, options: DirectoryEnvironmentOptions) => Promise<Environment>

/** What opens the places of a scheme; loaded when it is first needed. */
const openers = new Map<string, () => Promise<OpenPlace>>([
  ['s3', async () => (await loadAws()).openS3Environment],
  ['sqlite', async () => (await import('./sqlite/sqlite-environment.ts')).openSqliteEnvironment],
])

/** @param scheme in lower case, without the colon */
export function registerScheme(scheme: string, open: OpenPlace): void {
  openers.set(scheme, () => Promise.resolve(open))
}

/** Whether the place is a URL of a registered scheme, not a directory. */
export function isUrl(place: string): boolean {
  return openers.has(schemeOf(place))
}

/** What kind of place it is: `s3`, `sqlite`, another registered scheme, or a directory. */
export function schemeAt(place: string): string {
  return isUrl(place) ? schemeOf(place) : 'directory'
}

/** Whether the place is the memory of whoever opens it: another thread that opens it finds nothing. */
export function inMemory(place: string): boolean {
  return schemeOf(place) === 'sqlite' && parseSqlitePlace(place) === IN_MEMORY
}

/** The file of a place in SQLite; undefined for other places and in memory. */
export function sqliteFileOf(place: string): string | undefined {
  return schemeOf(place) === 'sqlite' && !inMemory(place) ? parseSqlitePlace(place) : undefined
}

/**
 * Everything the engine needs, at a directory or at a URL, with requests counted and traced.
 * @throws SiltstoneError as `openEnvironment` and `openS3Environment` do, `unsupported` (aws-sdk-missing,
 *   aws-not-bundled) as `loadAws` does, and `invalid` (bad-place) for a URL of a scheme that is not registered
 */
export async function openEnvironmentAt(
  place: string,
  options: DirectoryEnvironmentOptions = {},
): Promise<Environment> {
  const load = openers.get(schemeOf(place))
  if (load === undefined) {
    refuseOtherUrl(place)
    return instrumented(await openEnvironment(place, options))
  }
  const open = await load()
  return instrumented(await open(place, options))
}

/** Such a place would otherwise become a directory named `gs:` or `:memory:` below the working directory. */
function refuseOtherUrl(place: string): void {
  const refuse = (remedy: string) =>
    invalid('bad-place', `${JSON.stringify(place)} is no place for a store: ${remedy}`, { field: 'data' })
  if (place === IN_MEMORY) throw refuse('for a store in memory write sqlite://')
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(place)) return
  if (schemeOf(place) === 'file') throw refuse('write the path of the directory, without file://')
  throw refuse(
    `write a directory, or a URL with one of ${[...openers.keys()].map((scheme) => `${scheme}://`).join(', ')}`,
  )
}

function schemeOf(place: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(place)?.[1]?.toLowerCase() ?? ''
}
