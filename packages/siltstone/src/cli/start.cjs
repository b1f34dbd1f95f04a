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

// Code that was compiled by an earlier process takes half the time to start. Not in the folder for temporary files, where
// another user could put code that this process would run. Where the folder cannot be made, nothing is kept; Node itself would
// try for ever to make one in /proc. Bun and Deno have caches of their own, and NODE_COMPILE_CACHE is Node's own setting.
if (!process.versions.bun && !process.versions.deno && !process.env.NODE_COMPILE_CACHE) {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const own = join(base, 'siltstone')
  const code = join(own, 'code')
  if ([base, own, code].every(isMade)) enableCompileCache(code)
}

void import(existsSync(join(__dirname, 'main.ts')) ? './main.ts' : './main.js')
