import { isS3Url } from './aws/s3-place.ts'
import { type DirectoryEnvironmentOptions, openEnvironment } from './directory/directory-environment.ts'
import type { Environment } from '../ports/environment.ts'
import { instrumented } from './instrumented.ts'

export { isS3Url } from './aws/s3-place.ts'

/**
 * Everything the engine needs, at a directory or at `s3://bucket/prefix`, with requests counted and traced. The SDK is
 * loaded only for the latter.
 * @throws SiltstoneError as `openEnvironment` and `openS3Environment` do
 */
export async function openEnvironmentAt(
  place: string,
  options: DirectoryEnvironmentOptions = {},
): Promise<Environment> {
  if (!isS3Url(place)) return instrumented(await openEnvironment(place, options))
  const { openS3Environment } = await import('./aws/environment.ts')
  return instrumented(await openS3Environment(place, options))
}
