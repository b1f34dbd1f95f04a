import { invalid } from '../errors.ts'

/**
 * @param refuseEmpty for providers that answer an empty text with an error
 * @throws SiltstoneError `invalid` (bad-text), naming the first text at fault
 */
export function checkTexts(texts: readonly string[], refuseEmpty = false): void {
  for (const [i, text] of texts.entries()) {
    const field = `texts[${i}]`
    // Untyped values reach this through the library and the chromadb client.
    if (typeof text !== 'string') throw invalid('bad-text', `${field} is ${typeof text}, not a string.`, { field })
    if (refuseEmpty && text === '') {
      throw invalid('bad-text', `${field} is empty, and the provider cannot embed an empty text: leave it out.`, {
        field,
      })
    }
  }
}
