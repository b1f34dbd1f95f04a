import { corrupt, type SiltstoneError } from '../../errors.ts'

/**
 * Objects are files: a link may lead to something that another program changes or removes, and conditional writes would
 * replace the link, not what it leads to.
 */
export function symbolicLink(path: string, key?: string): SiltstoneError {
  return corrupt(
    'symbolic-link',
    `${path} is a symbolic link, which a store does not follow: replace it by what it leads to`,
    key === undefined ? {} : { key },
  )
}
