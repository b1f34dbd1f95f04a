/** Whether an import failed because the package, or its part for this platform, is not installed. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    // A native part for another C library or processor.
    code === 'ERR_DLOPEN_FAILED' ||
    /Could not load the "sharp" module/.test(error.message)
  )
}
