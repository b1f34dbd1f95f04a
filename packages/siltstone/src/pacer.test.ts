import { expect, it } from 'vitest'
import { Pacer } from './pacer.ts'

it('pauses each time that a slice of the work is done, and counts from there', async () => {
  const log: string[] = []
  const pacer = new Pacer(10, async () => void log.push('pause'))
  for (const units of [4, 5, 1, 9, 25, 9, 1]) {
    log.push(String(units))
    await pacer.spend(units)
  }
  expect(log).toEqual(['4', '5', '1', 'pause', '9', '25', 'pause', '9', '1', 'pause'])
})

it('returns nothing to wait for while no pause is due', () => {
  const pacer = new Pacer(10, async () => {})
  expect(pacer.spend(9)).toBeUndefined()
  expect(pacer.spend(1)).toBeInstanceOf(Promise)
  expect(pacer.spend(9)).toBeUndefined()
})

it('shares its count between several loops', async () => {
  let pauses = 0
  const pacer = new Pacer(10, async () => void pauses++)
  const loop = async () => pacer.spend(4)
  await Promise.all([loop(), loop(), loop()])
  expect(pauses).toBe(1)
})
