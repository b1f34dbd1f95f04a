/**
 * The order in which a line is read. pdf.js gives the pieces of a line as the file has them, which for text from right to left is
 * mostly the order in which they stand from left to right; inside of a piece it has put the letters in order. This is the
 * reordering of the Unicode Bidirectional Algorithm (UAX #9, rule L2) backwards, with two levels.
 */
export interface Piece {
  text: string
  /** Where it begins on the line. */
  left: number
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
/** Letters of Arabic and Hebrew in the form that they have at a place of a word. */
const FORMS = /[\ufb1d-\ufdff\ufe70-\ufefc]+/g

type Direction = 'right' | 'left' | 'none'

function directionOf(text: string): Direction {
  if (RIGHT_TO_LEFT.test(text)) return 'left'
  return /[\p{L}\p{N}]/u.test(text) ? 'right' : 'none'
}

/** Signs around a word stand for themselves: `.2024` ends a sentence from right to left. */
function partsOf(text: string): string[] {
  const [, before = '', word = '', after = ''] = /^([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{N}]*)$/su.exec(text) ?? []
  return [before, word, after].filter((part) => part !== '')
}

export function textInOrder(pieces: readonly Piece[]): string {
  const directed = pieces.flatMap(({ text, left }) =>
    partsOf(text).map((part) => ({ text: part, left, direction: directionOf(part) })),
  )
  const leftward = directed.filter(({ direction }) => direction === 'left')
  const inOrder = leftward.length === 0 || isLogical(leftward) ? directed : reordered(directed)
  return inOrder
    .map(({ text }) => text)
    .join('')
    .replaceAll(FORMS, (forms) => forms.normalize('NFKC'))
}

/** Whether most pieces of text from right to left stand to the left of the one before. */
function isLogical(leftward: readonly { left: number }[]): boolean {
  const steps = leftward.slice(1).map(({ left }, k) => left - (leftward[k]?.left ?? 0))
  return steps.filter((step) => step < 0).length > steps.filter((step) => step > 0).length
}

type Directed = Piece & { direction: Direction }

/** A line is read in the direction of most of its letters; runs of the other one are read against it. */
function reordered(pieces: readonly Directed[]): Directed[] {
  const letters = (wanted: Direction) =>
    pieces.reduce(
      (sum, { text, direction }) => sum + (direction === wanted ? (text.match(/\p{L}/gu)?.length ?? 0) : 0),
      0,
    )
  const isLeftward = letters('left') > letters('right')
  const line = isLeftward ? pieces.toReversed() : pieces
  const against: Direction = isLeftward ? 'right' : 'left'
  const result: Directed[] = []
  let run: Directed[] = []
  /** What has no direction belongs to a run only if the run goes on behind it. */
  let between: Directed[] = []
  const flush = () => {
    result.push(...run.reverse(), ...between)
    run = []
    between = []
  }
  for (const piece of line) {
    if (piece.direction === against) {
      run.push(...between, piece)
      between = []
    } else if (piece.direction === 'none' && run.length > 0) between.push(piece)
    else {
      flush()
      result.push(piece)
    }
  }
  flush()
  return result
}
