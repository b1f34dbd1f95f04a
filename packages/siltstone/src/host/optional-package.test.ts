import { describe, expect, it } from 'vitest'
import { importOptional } from './optional-package.ts'

describe('importOptional', () => {
  it('loads what is installed', async () => {
    expect(await importOptional('valibot', 'Checking')).toHaveProperty('safeParse')
  })

  it('says how to install what is not', async () => {
    await expect(importOptional('@siltstone/no-such-package', 'Embedding')).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'package-missing',
      message: expect.stringContaining('npm install @siltstone/no-such-package') as string,
    })
  })

  it('tells a package that does not load from one that is missing', async () => {
    await expect(importOptional('data:text/javascript,throw new Error("no native part")', 'X')).rejects.toMatchObject({
      code: 'package-broken',
      message: expect.stringContaining('no native part') as string,
    })
  })
})
