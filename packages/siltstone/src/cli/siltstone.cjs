#!/usr/bin/env node
// Plain old syntax: a Node that is too old must still be able to read this file and say so.
var needed = [22, 16]
var parts = process.versions.node.split('.')
var isOld = Number(parts[0]) < needed[0] || (Number(parts[0]) === needed[0] && Number(parts[1]) < needed[1])
if (isOld) {
  console.error(
    'error: siltstone needs Node.js ' +
      needed.join('.') +
      ' or newer, this is ' +
      process.versions.node +
      ': install it from https://nodejs.org.',
  )
  process.exitCode = 1
} else {
  require('./start.cjs')
}
