/** What the demo asks. */
import type { Passage } from '../../../ingest/index.ts'

/** Each is answered, in other words, by the documentation of a package that Siltstone depends on. */
const ABOUT_PACKAGES = [
  'Why is a hostile regex dangerous for a web service?',
  'Which kind of id can be sorted by when it was made?',
  'Can a web server push messages to browsers?',
  'What becomes of circular references when an object is stringified?',
  'How does a program read the options that were typed in a terminal?',
]

/** For a folder of one's own: what some of its sections are about, as questions. */
export function questionsAbout(passages: readonly Passage[], own: boolean): string[] {
  if (!own) return ABOUT_PACKAGES
  const headings = [...new Set(passages.map(({ heading }) => heading).filter((heading) => heading.length > 8))]
  const wanted = Math.min(3, headings.length)
  const chosen = Array.from({ length: wanted }, (_, i) => headings[Math.floor(((i + 0.5) * headings.length) / wanted)])
  return chosen.map((heading) => `What is said about “${heading}”?`)
}
