import { expect, it } from 'vitest'
import { loadRegistry, logLevelFrom, placeFromSwitches } from './serve-registry.ts'

it('finds the place by the switches of the guide', () => {
  expect(placeFromSwitches({})).toBeUndefined()
  expect(placeFromSwitches({ USE_S3: '0', USE_SQLITE: '0', S3_BUCKET_NAME: 'b' })).toBeUndefined()
  for (const on of ['1', 'true', 'YES', 'on'])
    expect(placeFromSwitches({ USE_S3: on, S3_BUCKET_NAME: 'b', USE_SQLITE: '0' })).toBe('s3://b')
  // S3 goes first: SQLite would only be a fallback.
  expect(placeFromSwitches({ USE_S3: '1', S3_BUCKET_NAME: 'b', USE_SQLITE: '1' })).toBe('s3://b')
})

it('refuses what the switches do not make clear', () => {
  expect(() => placeFromSwitches({ USE_S3: '1' })).toThrow('S3_BUCKET_NAME')
  expect(() => placeFromSwitches({ USE_S3: 'perhaps' })).toThrow('USE_S3 is "perhaps": give 1 or 0')
  expect(() => placeFromSwitches({ USE_SQLITE: '1' })).toThrow('--data')
})

it('takes the levels of Python’s logging', () => {
  expect(['DEBUG', 'INFO', 'Warning', 'ERROR', 'CRITICAL', ''].map((LOG_LEVEL) => logLevelFrom({ LOG_LEVEL }))).toEqual(
    ['debug', 'info', 'warn', 'error', 'error', undefined],
  )
  expect(() => logLevelFrom({ LOG_LEVEL: 'loud' })).toThrow('WARNING')
})

it('cannot be read-only', async () => {
  await expect(loadRegistry(true)).rejects.toThrow('--read-only')
})
