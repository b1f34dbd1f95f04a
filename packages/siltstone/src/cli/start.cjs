// In a file of its own: an old Node cannot read `import(…)`. The ending is .ts in the repository, .js in a build.
const { existsSync, mkdirSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { homedir } = require('node:os')
const { join } = require('node:path')

/** Whether the folder is there now. The one above it must be. */
function isMade(folder) {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    return error.code === 'EEXIST'
  }
}

/** Undefined for a user of whom the machine knows no home: in a container, for example. */
function cacheFolder() {
  const { XDG_CACHE_HOME: given } = process.env
  if (given) return given
  try {
    return join(homedir(), '.cache')
  } catch {
    return undefined
  }
}

/**
 * Settings of glibc's allocator, which other systems ignore. By default it serves large buffers from pools of each thread once
 * some were freed, and returns next to nothing of them to the system: half of the memory of a server that was loaded was free.
 * Buffers of 1 MB and more come from the system and go back to it. With a smaller size the tables with which Zstandard compresses a
 * block, of some hundred kilobytes each, would as well, and to compress took twice as long.
 */
const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
}

/** V8 lets the space for new objects of each thread grow to 130 MB otherwise. */
const FLAGS = ['--max-semi-space-size=8']

/**
 * Starts a server again in the same process, with settings that only the start can have. Without them a server that is loaded
 * takes twice the memory. Where the system cannot replace a process, or the caller has chosen a size, it works as well.
 */
function restartServer() {
  const chosen = process.execArgv.concat((process.env.NODE_OPTIONS || '').split(/\s+/))
  const isChosen = chosen.some((flag) => /^--(max|min)[-_]semi[-_]space[-_]size\b/.test(flag))
  // A process that was forked would lose its channel.
  if (process.argv[2] !== 'serve' || isChosen || process.connected || typeof process.execve !== 'function') return
  const [program, ...rest] = process.argv
  process.execve(process.execPath, [program, ...FLAGS, ...process.execArgv, ...rest], {
    ...ALLOCATOR,
    ...process.env,
  })
}

// Not on Windows, which cannot replace a process; Bun and Deno have other engines.
if (!process.versions.bun && !process.versions.deno && process.platform !== 'win32') restartServer()

// Code that was compiled by an earlier process takes half the time to start. Not in the folder for temporary files, where
// another user could put code that this process would run. Where the folder cannot be made, nothing is kept; Node itself would
// try forever to make one in /proc. Bun and Deno have caches of their own, and NODE_COMPILE_CACHE is Node's own setting.
if (!process.versions.bun && !process.versions.deno && !process.env.NODE_COMPILE_CACHE) {
  const base = cacheFolder()
  const folders = base === undefined ? [] : [base, join(base, 'siltstone'), join(base, 'siltstone', 'code')]
  if (folders.length > 0 && folders.every(isMade)) enableCompileCache(folders.at(-1))
}

void import(existsSync(join(__dirname, 'main.ts')) ? './main.ts' : './main.js')
