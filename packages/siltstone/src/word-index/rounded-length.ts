/**
 * The length of a text in segments that pages read: above 8 words, rounded to two significant binary digits (8, 12, 16, 24, 32, …).
 * A page reads the lengths of all rows before it searches by words; rounded, they take half the bytes.
 */
export function roundedLength(words: number): number {
  if (words <= 8) return words
  const step = 2 ** (30 - Math.clz32(words))
  return Math.round(words / step) * step
}
