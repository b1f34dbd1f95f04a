/**
 * The first of `count` places at which `test` is true; `count` when there is none.
 * @param test false up to some place and true from there on
 */
export function firstWhere(count: number, test: (place: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (test(middle)) high = middle
    else low = middle + 1
  }
  return low
}
