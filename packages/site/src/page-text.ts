/** The text of an HTML file in the encoding that it names, and the language of a site. */

const SNIFFED_BYTES = 1024
const CHARSET = /<meta\s[^>]*charset\s*=\s*["']?\s*([\w.:-]+)/i
const LANGUAGE = /<html\b[^>]*\slang\s*=\s*["']?\s*([a-z]{2,3})\b/i

/** As browsers find it: a byte order mark, then `<meta charset>` within the first 1,024 bytes, then UTF-8. */
export function htmlText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes)
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const [, named = 'utf-8'] = CHARSET.exec(new TextDecoder('latin1').decode(bytes.subarray(0, SNIFFED_BYTES))) ?? []
  // A page whose tag could be read is not in UTF-16, even if the tag says so.
  if (/^utf-?16/i.test(named)) return 'utf-8'
  try {
    return new TextDecoder(named).encoding
  } catch {
    // No encoding has this name.
    return 'utf-8'
  }
}

/** The language that most of the pages name, as a code of ISO 639 such as `de`; undefined: none does. */
export function languageOfSite(pages: readonly { html: string }[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { html } of pages) {
    const code = LANGUAGE.exec(html.slice(0, 4 * SNIFFED_BYTES))?.[1]?.toLowerCase()
    if (code !== undefined) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}
