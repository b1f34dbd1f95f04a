import { unsupported } from '../errors.ts'

/**
 * Loads a package that users install only if they need it.
 * @throws SiltstoneError `unsupported` (package-missing) with the command that installs it, (package-broken) when it
 *   is there and does not load
 */
export async function importOptional(packageName: string, purpose: string): Promise<unknown> {
  try {
    return (await import(packageName)) as unknown
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string }
    if (code === 'ERR_MODULE_NOT_FOUND' && message?.includes(`'${packageName}'`) === true) {
      const remedy = `${purpose} needs the package ${packageName}: install it with \`npm install ${packageName}\`.`
      throw unsupported('package-missing', remedy, { cause })
    }
    throw unsupported('package-broken', `The package ${packageName} does not load: ${message}. Install it again.`, {
      cause,
    })
  }
}

/** As `importOptional`, for what a command can do without. @param specifier a face of the package @returns undefined when it is not installed */
export async function importIfPresent(packageName: string, specifier: string): Promise<unknown> {
  try {
    return (await import(specifier)) as unknown
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string }
    if (code === 'ERR_MODULE_NOT_FOUND' && message?.includes(`'${packageName}'`) === true) return undefined
    throw unsupported('package-broken', `The package ${packageName} does not load: ${message}. Install it again.`, {
      cause,
    })
  }
}
