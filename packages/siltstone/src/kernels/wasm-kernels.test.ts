import { expect, it } from 'vitest'
import { vectorKernels, wasmKernels } from './wasm-kernels.ts'

it('there is one instance per thread, of the fastest kind that the engine accepts', () => {
  expect(vectorKernels()).toBe(vectorKernels())
  expect(vectorKernels().kind).toBe('wasm-relaxed-simd')
  expect(wasmKernels({ kind: 'wasm-simd' })?.kind).toBe('wasm-simd')
})

it('starts small, and each new instance has its own memory', () => {
  const [one, other] = [wasmKernels(), wasmKernels()]
  expect(one?.memory.buffer.byteLength).toBe(1024 * 1024)
  expect(one?.memory.buffer).not.toBe(other?.memory.buffer)
})

it('falls back where WebAssembly is missing', () => {
  const global = globalThis as { WebAssembly?: unknown }
  const { WebAssembly } = global
  try {
    delete global.WebAssembly
    expect(wasmKernels()).toBe(undefined)
  } finally {
    global.WebAssembly = WebAssembly
  }
})
