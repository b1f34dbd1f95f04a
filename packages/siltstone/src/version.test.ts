import { expect, it } from 'vitest'
import { isOlderVersion } from './version.ts'

it('orders versions by their numbers, a pre-release before its release', () => {
  const ascending = ['0.1.0-rc.1', '0.1.0', '0.2.0', '0.10.0', '1.0.0', '1.9.3', '1.10.0', '2.0.0-a', '2.0.0']
  for (const [i, a] of ascending.entries())
    for (const [k, b] of ascending.entries()) expect(isOlderVersion(a, b), `${a} ${b}`).toBe(i < k)
})
