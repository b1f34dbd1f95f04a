import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { isTooOld, NEEDED_NODE } from './needed-node.ts'

it('knows which Node is too old', () => {
  expect(['22.16.0', '22.17.1', '24.0.0', '100.0.0'].filter(isTooOld)).toEqual([])
  expect(['22.15.9', '20.20.2', '9.99.0'].filter(isTooOld)).toEqual(['22.15.9', '20.20.2', '9.99.0'])
})

it('is the version that the manifest and the command line name', () => {
  const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const { engines } = JSON.parse(text('../../package.json')) as { engines: { node: string } }
  expect(engines.node).toBe(`>=${NEEDED_NODE}`)
  expect(text('../cli/siltstone.cjs')).toContain(`var needed = [${NEEDED_NODE.replace('.', ', ')}]`)
})
