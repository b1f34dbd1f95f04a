#!/usr/bin/env node
// Imports nothing before it has checked the version: all other modules need Node 24.
const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  console.error(
    `error: siltstone needs Node.js 24 or newer, this is ${process.versions.node}.\n` +
      'Install it from https://nodejs.org. In a clone, "npm run -s siltstone -- …" uses the one that npm ci installed.',
  )
  process.exitCode = 1
} else {
  const { commandLineArguments, setExitCode } = await import('../host/process.ts')
  const { run } = await import('./run.ts')
  const code = await run(commandLineArguments())
  if (code !== undefined) setExitCode(code)
}
