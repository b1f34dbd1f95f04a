// In a file of its own: an old Node cannot read `import(…)`. The ending is .ts in the repository, .js in a build.
const { existsSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { homedir } = require('node:os')
const { join } = require('node:path')

// Code that was compiled by an earlier process takes half the time to start. Not in the folder for temporary files, where
// another user could put code that this process would run. Where the folder cannot be written, nothing is kept.
enableCompileCache(
  process.env.NODE_COMPILE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'siltstone', 'code'),
)

void import(existsSync(join(__dirname, 'main.ts')) ? './main.ts' : './main.js')
