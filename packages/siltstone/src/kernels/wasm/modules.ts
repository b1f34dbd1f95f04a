/** The compiled kernels, the fastest first. Pages have another module instead of this one: packages/reader/src/build.ts. */
import { fromBase64 } from '#codec'
import { RELAXED_SIMD_BASE64 } from './relaxed-simd.wasm.ts'
import { SIMD_BASE64 } from './simd.wasm.ts'

export interface CompiledKernels {
  kind: 'wasm-relaxed-simd' | 'wasm-simd'
  bytes: () => Uint8Array
}

export const MODULES: readonly CompiledKernels[] = [
  { kind: 'wasm-relaxed-simd', bytes: () => fromBase64(RELAXED_SIMD_BASE64) },
  { kind: 'wasm-simd', bytes: () => fromBase64(SIMD_BASE64) },
]
