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

// Code that was compiled by an earlier process takes half the time to start. Not in the folder for temporary files, where
// another user could put code that this process would run. Where the folder cannot be made, nothing is kept; Node itself would
// try forever to make one in /proc. Bun and Deno have caches of their own, and NODE_COMPILE_CACHE is Node's own setting.
if (!process.versions.bun && !process.versions.deno && !process.env.NODE_COMPILE_CACHE) {
  const base = cacheFolder()
  const folders = base === undefined ? [] : [base, join(base, 'siltstone'), join(base, 'siltstone', 'code')]
  if (folders.length > 0 && folders.every(isMade)) enableCompileCache(folders.at(-1))
}

void import(existsSync(join(__dirname, 'main.ts')) ? './main.ts' : './main.js')
