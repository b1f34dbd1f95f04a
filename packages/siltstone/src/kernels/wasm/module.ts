/**
 * The part of the WebAssembly interface that is used here; TypeScript's own types of it come only with the whole DOM. The
 * interface is absent where code generation is forbidden (`node --jitless`).
 */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  /** @param pages of 64 KB @throws RangeError when refused */
  grow(pages: number): number
}

export interface WasmApi {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => object
  Memory: new (limits: { initial: number; maximum: number }) => WasmMemory
  Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { readonly exports: unknown }
}

export const PAGE_BYTES = 65536

export function wasmApi(): WasmApi | undefined {
  return (globalThis as unknown as { WebAssembly?: WasmApi }).WebAssembly
}
