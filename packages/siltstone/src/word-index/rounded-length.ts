/**
 * The length of a text in segments that pages read: above 8 words, rounded to three significant binary digits (8, 10, 12, 14, 16, 20, …).
 * A page reads the lengths of all rows before it searches by words; rounded, they take
 * three fifths of the bytes. Two digits would take less than half, and ranked worse over 100,000 passages.
 */
export function roundedLength(words: number): number {
  if (words <= 8) return words
  const step = 2 ** (29 - Math.clz32(words))
  return Math.round(words / step) * step
}
