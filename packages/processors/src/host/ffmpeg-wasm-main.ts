/**
 * ffmpeg as WebAssembly (`@ffmpeg/core`), as a program: `node ffmpeg-wasm-main.js …arguments of ffmpeg`. It reads the input
 * file by ranges, so that a large one is never in memory, and writes to standard output and standard error as ffmpeg does.
 *
 * The build is made for a worker of a browser. What it needs of one is given to it here: `self`, `location`, and the
 * synchronous reader of its file system for files. It ends with the status of ffmpeg; with 70 where it cannot be loaded.
 */
import { fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

interface Part {
  size: number
  read(): ArrayBuffer
}

interface Core {
  exec(...args: string[]): number
  setLogger(log: (line: { type: 'stdout' | 'stderr'; message: string }) => void): void
  FS: {
    mkdir(path: string): void
    mount(type: unknown, options: { blobs: { name: string; data: unknown }[] }, at: string): void
    filesystems: { WORKERFS: unknown }
    makedev(major: number, minor: number): number
    registerDevice(device: number, operations: DeviceOperations): void
    mkdev(path: string, mode: number, device: number): void
  }
}

interface DeviceOperations {
  open(): void
  close(): void
  write(stream: unknown, buffer: Uint8Array, offset: number, length: number): number
}

const OUTPUT = '/output'
const FAILED = 70

async function load(): Promise<Core> {
  const browser = {
    self: globalThis,
    location: { href: import.meta.url },
    FileReaderSync: class {
      readAsArrayBuffer = (part: Part) => part.read()
    },
  }
  Object.assign(globalThis, browser)
  const name = '@ffmpeg/core'
  const { default: create } = (await import(name)) as { default(options: { wasmBinary: Uint8Array }): Promise<Core> }
  const wasm = createRequire(import.meta.url).resolve(`${name}/wasm`)
  return create({ wasmBinary: readFileSync(wasm) })
}

/** Gives the core the input as a file, and an output that is this process's. */
function connect(core: Core, input: string): void {
  const file = openSync(input, 'r')
  const size = fstatSync(file).size
  const slice = (from: number, to: number): Part => {
    const end = Math.min(to, size)
    return { size: Math.max(0, end - from), read: () => readPart(file, from, Math.max(0, end - from)) }
  }
  core.FS.mkdir('/input')
  core.FS.mount(core.FS.filesystems.WORKERFS, { blobs: [{ name: 'source', data: { size, slice } }] }, '/input')
  const device = core.FS.makedev(64, 0)
  core.FS.registerDevice(device, {
    open: () => undefined,
    close: () => undefined,
    write(_stream, buffer, offset, length) {
      writeAll(1, buffer.subarray(offset, offset + length))
      return length
    },
  })
  core.FS.mkdev(OUTPUT, 0o666, device)
  core.setLogger(({ type, message }) => {
    // The core says so whenever it ends.
    if (message !== 'Aborted()') writeAll(type === 'stdout' ? 1 : 2, Buffer.from(`${message}\n`))
  })
}

function readPart(file: number, from: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    const read = readSync(file, bytes, at, length - at, from + at)
    if (read === 0) throw new Error(`the input ended at byte ${from + at}`)
    at += read
  }
  return bytes.buffer
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Waits where the reader of the pipe is slow. */
function writeAll(to: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(to, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }
}

/** The arguments with the places of files inside the core; `-` is the output, unless it is that of `-f null`. */
function coreArguments(args: readonly string[]): string[] {
  return args.map((argument, k) => {
    if (args[k - 1] === '-i') return '/input/source'
    return argument === '-' && k === args.length - 1 && args[k - 1] !== 'null' ? OUTPUT : argument
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  try {
    const core = await load()
    connect(core, args[args.indexOf('-i') + 1] as string)
    process.exitCode = core.exec(...coreArguments(args))
  } catch (error) {
    writeAll(2, Buffer.from(`${error instanceof Error ? error.message : String(error)}\n`))
    process.exitCode = FAILED
  }
}
