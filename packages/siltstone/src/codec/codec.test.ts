import { expect, it } from 'vitest'
import * as chosen from '#codec'
import { codecContract } from './codec.contract.ts'
import * as node from './node.ts'
import * as portable from './portable.ts'

codecContract('node', node, { compresses: true })
codecContract('portable', portable, { compresses: false })

it('is the native one on Node', () => {
  expect(chosen.crc32).toBe(node.crc32)
})
