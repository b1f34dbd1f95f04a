// In a file of its own: an old Node cannot read `import(…)`. The ending is .ts in the repository, .js in a build.
const { existsSync } = require('node:fs')
const { join } = require('node:path')

void import(existsSync(join(__dirname, 'main.ts')) ? './main.ts' : './main.js')
