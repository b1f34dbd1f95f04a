import { invalid, type SiltstoneError } from '../../errors.ts'

/** 400: the body is not JSON. */
export function badJson(detail: string, cause?: unknown): SiltstoneError {
  return invalid('bad-json', `Failed to parse the request body as JSON: ${detail}`, { cause })
}

/** @param offset of the part that the parser refused */
export function badLargeJson(offset: number, cause: SyntaxError): SiltstoneError {
  return badJson(`in the part from byte ${offset}: ${cause.message.slice(0, 200)}`, cause)
}
