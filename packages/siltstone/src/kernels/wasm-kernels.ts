/**
 * The kernels in WebAssembly SIMD (sources in `wasm/assembly`, compiled by `npm run build:wasm`), over one memory that
 * starts small and grows. The relaxed module uses fused multiply-add and unchecked byte look-up; not all engines have them.
 */
import { type Backing, Heap } from './heap.ts'
import { referenceKernels } from './reference-kernels.ts'
import { MAXIMUM_BYTES } from './reference-memory.ts'
import type { VectorKernels } from './vector-kernels.ts'
import { PAGE_BYTES, type WasmApi, type WasmMemory, wasmApi } from './wasm/module.ts'
import { type CompiledKernels, MODULES } from './wasm/modules.ts'

type Functions = Omit<VectorKernels, 'kind' | 'memory'>

const INITIAL_PAGES = 16
/** The modules have no static data; `scan.ts` uses a few bytes below this address. */
const HEAP_START = 1024

export interface WasmOptions {
  /** Use this module or none. Default: the first that the engine accepts. */
  kind?: CompiledKernels['kind']
  /** At most 4 GB. */
  maximumBytes?: number
}

/** A new instance with its own memory. @returns undefined if the engine has no WebAssembly SIMD or refuses the memory */
export function wasmKernels({ kind, maximumBytes = MAXIMUM_BYTES }: WasmOptions = {}): VectorKernels | undefined {
  const api = wasmApi()
  if (!api) return undefined
  for (const module of MODULES) {
    if (kind !== undefined && kind !== module.kind) continue
    const compiled = compile(api, module)
    if (!compiled) continue
    const memory = newMemory(api, maximumBytes)
    if (!memory) return undefined
    const { exports } = new api.Instance(compiled, { env: { memory } })
    return { ...(exports as Functions), kind: module.kind, memory: new Heap(backing(memory), HEAP_START) }
  }
  return undefined
}

const compiledModules = new Map<string, object | undefined>()

/** Compiles once per thread. @returns undefined if the engine does not know an instruction of the module, or may not compile */
function compile(api: WasmApi, { kind, bytes }: CompiledKernels): object | undefined {
  if (!compiledModules.has(kind)) compiledModules.set(kind, compiledOf(api, bytes()))
  return compiledModules.get(kind)
}

function compiledOf(api: WasmApi, bytes: Uint8Array): object | undefined {
  if (!api.validate(bytes)) return undefined
  try {
    return new api.Module(bytes)
  } catch (error) {
    // The module is valid: a page whose Content-Security-Policy has no 'wasm-unsafe-eval' may not compile it.
    if (error instanceof Error && error.name === 'CompileError') return undefined
    throw error
  }
}

let shared: VectorKernels | undefined

/** The kernels of this thread: one instance and one memory, created at the first call. */
export function vectorKernels(): VectorKernels {
  shared ??= wasmKernels() ?? referenceKernels()
  return shared
}

function newMemory(api: WasmApi, maximumBytes: number): WasmMemory | undefined {
  const maximum = Math.max(INITIAL_PAGES, Math.floor(Math.min(maximumBytes, MAXIMUM_BYTES) / PAGE_BYTES))
  try {
    return new api.Memory({ initial: INITIAL_PAGES, maximum })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function backing(memory: WasmMemory): Backing {
  return {
    get buffer() {
      return memory.buffer
    },
    grow(toBytes) {
      const pages = Math.ceil((toBytes - memory.buffer.byteLength) / PAGE_BYTES)
      try {
        memory.grow(pages)
        return true
      } catch (error) {
        if (error instanceof RangeError) return false
        throw error
      }
    },
  }
}
