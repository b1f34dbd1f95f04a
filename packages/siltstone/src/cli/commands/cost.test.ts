import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

const json = async (...args: string[]) => {
  const ran = await siltstone(['cost', '--json', ...args])
  expect(ran).toMatchObject({ code: 0, err: '' })
  return JSON.parse(ran.out) as { bill: { services: Record<string, number>; totalUsd: number }; unitCosts: object }
}

it('prices a described workload, by service and by unit', async () => {
  const only = ['--records', '0', '--writes', '0', '--cold-queries', '0', '--compute', 'own', '--answer-bytes', '0']
  const report = await json(...only, '--warm-queries', '1e6')
  // A million lists and a million conditional gets.
  expect(report.bill.services).toEqual({ S3: expect.closeTo(5.4, 9) })
  expect(report.unitCosts).toMatchObject({ usdPer1000Queries: expect.closeTo(0.0054, 9), usdPerMillionWrites: null })
  const shown = await siltstone(['cost', ...only, '--warm-queries', '1e6'])
  expect(shown.out).toContain('Total')
  expect(shown.out).toMatch(/1,000 warm queries +\$0\.0054\n/)
  expect(shown.out).toContain('$3.64')
})

it('takes other prices and assumptions, and says which are unknown', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-cost-'))
  try {
    const prices = join(directory, 'prices.json')
    await writeFile(prices, '{"s3StorageGbMonth": {"usd": 1}}')
    const kept = ['--records', '1e6', '--writes', '0', '--cold-queries', '0', '--warm-queries', '0', '--compute', 'own']
    const report = await json(
      ...kept,
      '--prices',
      prices,
      '--set',
      'indexShare=0',
      '--document-bytes',
      '464',
      '--metadata-bytes',
      '0',
    )
    // 1,000,000 × (1,536 + 464) B
    expect(report.bill.totalUsd).toBeCloseTo(2, 9)
    await writeFile(prices, '{"s3Stroage": {"usd": 1}}')
    expect(await siltstone(['cost', '--prices', prices])).toMatchObject({
      code: 2,
      err: expect.stringContaining('s3Stroage'),
    })
    expect(await siltstone(['cost', '--set', 'luck=1'])).toMatchObject({ code: 2 })
    expect(await siltstone(['cost', '--records', '-1'])).toMatchObject({ code: 2 })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

it('prices what servers counted', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-cost-'))
  try {
    const file = join(directory, 'metrics')
    await writeFile(
      file,
      'siltstone_store_requests_total{operation="put"} 1000\nsiltstone_log_entries_appended_total 500\n',
    )
    const report = await json('--metrics', file, '--hours', '73')
    expect(report.bill.totalUsd).toBeCloseTo(0.05, 9)
    expect(await siltstone(['cost', '--metrics', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--hours'),
    })
    const shown = await siltstone(['cost', '--metrics', file, '--hours', '73', '--compute', 'lambda'])
    expect(shown.out).toContain('500 log entries')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
