/** An argument that cannot be deployed. The message names the field, the value and the remedy. */
export class InvalidArgument extends Error {
  override readonly name = 'InvalidArgument'
  readonly field: string
  readonly value: unknown

  constructor(field: string, value: unknown, remedy: string) {
    super(`${field} is ${JSON.stringify(value)}: ${remedy}`)
    this.field = field
    this.value = value
  }
}

/** @throws InvalidArgument unless `value` is an integer within the bounds, both included */
export function checkInteger(field: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidArgument(field, value, `use an integer from ${min} to ${max}`)
  }
  return value
}

/** @throws InvalidArgument unless `value` is one of `allowed` */
export function checkOneOf<T extends string>(field: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new InvalidArgument(field, value, `use one of ${allowed.join(', ')}`)
  return found
}

/** @throws InvalidArgument unless `value` matches */
export function checkPattern(field: string, value: string, pattern: RegExp, remedy: string): string {
  if (!pattern.test(value)) throw new InvalidArgument(field, value, remedy)
  return value
}
