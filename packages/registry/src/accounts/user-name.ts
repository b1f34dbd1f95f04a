import { invalid } from 'siltstone/internal'

export const MAX_NAME_CHARACTERS = 256
/** Also in the OpenAPI document: no control characters, and no space at either end. */
export const USER_NAME =
  '^[^\\u0000-\\u0020\\u007f-\\u009f](?:[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u0020\\u007f-\\u009f])?$'
const PATTERN = new RegExp(USER_NAME, 'u')

/** @throws SiltstoneError `invalid` (user-name) */
export function checkUserName(name: string): void {
  if (PATTERN.test(name) && Array.from(name).length <= MAX_NAME_CHARACTERS) return
  const text = `a user name has 1 to ${MAX_NAME_CHARACTERS} characters, no control characters, and no space at its ends`
  throw invalid('user-name', text, { field: 'user.name' })
}
