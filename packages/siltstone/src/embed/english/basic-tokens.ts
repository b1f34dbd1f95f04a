/**
 * BERT's normaliser and pre-tokeniser (uncased), for any Unicode text: drop control characters, white space to blanks,
 * blanks around CJK ideographs, NFD without combining marks, lower case; then split at blanks and around punctuation.
 * Devlin et al., 2018, as implemented by Hugging Face's `tokenizers` (`BertNormalizer`, `BertPreTokenizer`).
 *
 * The result for `a + b` is the result for `a` followed by that for `b` if the text is cut beside an ASCII blank
 * or punctuation mark: those are starters that never take part in a decomposition. The tokeniser relies on it.
 */

/** Cn (unassigned) stays: it becomes [UNK]. Lone surrogates are dropped. */
const DROPPED = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu
/** The blocks BERT's code lists; not all of Han, and neither kana nor hangul. */
const IDEOGRAPH =
  /[\u4E00-\u9FFF\u3400-\u4DBF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu
const MARK = /\p{Mn}/gu
/** ASCII symbols such as `$` and `~` count as punctuation, other symbols do not. */
const WORD = /[!-/:-@[-`{-~\p{P}]|[^!-/:-@[-`{-~\p{P}\p{White_Space}]+/gu

export function basicTokens(text: string): string[] {
  const normalised = text
    .replace(DROPPED, '')
    .replace(IDEOGRAPH, ' $& ')
    .normalize('NFD')
    .replace(MARK, '')
    // toLowerCase would write a final sigma by context; the reference lower-cases each character alone.
    .replaceAll('Σ', 'σ')
    .toLowerCase()
  return normalised.match(WORD) ?? []
}
