/** The demo's questions. */
import type { Passage } from '../../../ingest/index.ts'

/** The documentation of an installed package answers each one, in other words than the question's. */
const ABOUT_PACKAGES = [
  'Which kind of id can be sorted by when it was made?',
  'Can a web server push messages to browsers?',
  'What becomes of circular references when an object is stringified?',
  'How does a program read the options that were typed in a terminal?',
]

/** Whose words and whose meaning lead to different passages. */
const BOTH_WAYS = 'How do I print a BigInt as JSON?'

/** The question that is asked by meaning, by words and by both. @param asked the other questions */
export function hybridQuestion(asked: readonly string[], own: boolean): string | undefined {
  return own ? asked[0] : BOTH_WAYS
}

/** @param own whether the passages are of the user's folder: the questions then name some of its headings */
export function questionsAbout(passages: readonly Passage[], own: boolean): string[] {
  if (!own) return ABOUT_PACKAGES
  const headings = [...new Set(passages.map(({ heading }) => heading).filter((heading) => heading.length > 8))]
  const wanted = Math.min(3, headings.length)
  const chosen = Array.from({ length: wanted }, (_, i) => headings[Math.floor(((i + 0.5) * headings.length) / wanted)])
  return chosen.map((heading) => `What is said about “${heading}”?`)
}
