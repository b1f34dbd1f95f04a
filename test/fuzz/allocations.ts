/**
 * Records the size of each single allocation: code that trusts a length in its input asks for gigabytes, and memory that
 * is never touched would not show in the size of the process.
 */
export interface Allocations {
  /** The largest since `reset`, in bytes. */
  readonly largest: number
  reset(): void
  /** Restores the original functions. */
  stop(): void
}

const TYPED = [
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const
const BUFFER_MAKERS = ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const
/** The size of an array element. */
const SLOT_BYTES = 8

export function watchAllocations(): Allocations {
  let largest = 0
  const note = (bytes: unknown) => {
    if (typeof bytes === 'number' && bytes > largest) largest = bytes
  }
  const restores: (() => void)[] = []
  const all = globalThis as unknown as Record<string, unknown>
  const replace = (name: string, bytesPerItem: number) => {
    const original = all[name] as new (...args: unknown[]) => object
    all[name] = new Proxy(original, {
      construct(target, args: unknown[], newTarget) {
        if (typeof args[0] === 'number') note(args[0] * bytesPerItem)
        return Reflect.construct(target, args, newTarget === all[name] ? target : newTarget)
      },
    })
    restores.push(() => (all[name] = original))
  }
  for (const name of TYPED) replace(name, (globalThis[name] as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT)
  replace('ArrayBuffer', 1)

  const patch = (owner: object, name: string, sizeOf: (first: unknown) => unknown) => {
    const methods = owner as Record<string, (...args: unknown[]) => unknown>
    const original = methods[name] as (...args: unknown[]) => unknown
    methods[name] = function (this: unknown, ...args: unknown[]) {
      note(sizeOf(args[0]))
      return original.apply(this, args)
    }
    restores.push(() => (methods[name] = original))
  }
  for (const name of BUFFER_MAKERS) patch(Buffer, name, (size) => size)
  patch(Array, 'from', (like) => {
    const length = (like as { length?: unknown } | null)?.length
    return typeof length === 'number' ? length * SLOT_BYTES : 0
  })
  return {
    get largest() {
      return largest
    },
    reset: () => {
      largest = 0
    },
    stop: () => {
      for (const restore of restores) restore()
    },
  }
}
