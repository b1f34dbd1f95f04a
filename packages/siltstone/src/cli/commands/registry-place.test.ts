import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unavailable } from '../../errors.ts'
import type { Logger } from '../../ports/telemetry.ts'
import { choosePlace, fallbackFromSwitches, logLevelFrom, placeFromSwitches } from './registry-place.ts'

const S3 = { USE_S3: '1', S3_BUCKET_NAME: 'b' }

it('finds the place by the switches of the guide', () => {
  expect(placeFromSwitches({})).toBeUndefined()
  expect(placeFromSwitches({ USE_S3: '0', USE_SQLITE: '0', S3_BUCKET_NAME: 'b' })).toBeUndefined()
  for (const on of ['1', 'true', 'YES', 'on'])
    expect(placeFromSwitches({ USE_S3: on, S3_BUCKET_NAME: 'b', USE_SQLITE: '0' })).toBe('s3://b')
  // S3 goes first: SQLite would only be a fallback.
  expect(placeFromSwitches({ ...S3, USE_SQLITE: '1' })).toBe('s3://b')
  expect(placeFromSwitches({ USE_S3: '0', USE_SQLITE: '1' })).toBe('sqlite:///registry.db')
  const url = (SQLALCHEMY_DATABASE_URL: string) => placeFromSwitches({ USE_SQLITE: '1', SQLALCHEMY_DATABASE_URL })
  expect(url('sqlite:////srv/registry.db')).toBe('sqlite:////srv/registry.db')
  expect(url('sqlite+pysqlite:///registry.db')).toBe('sqlite:///registry.db')
  expect(url('sqlite://')).toBe('sqlite://')
})

it('refuses what the switches do not make clear', () => {
  expect(() => placeFromSwitches({ USE_S3: '1' })).toThrow('S3_BUCKET_NAME')
  expect(() => placeFromSwitches({ USE_S3: 'perhaps' })).toThrow('USE_S3 is "perhaps": give 1 or 0')
  const url =
    (SQLALCHEMY_DATABASE_URL: string, ENVIRONMENT = '') =>
    () =>
      placeFromSwitches({ USE_SQLITE: '1', SQLALCHEMY_DATABASE_URL, ENVIRONMENT })
  expect(url('postgresql://user:secret@host/db')).toThrow(/"postgresql".*SQLite files alone/)
  expect(url('postgresql://user:secret@host/db')).not.toThrow('secret')
  expect(url('sqlite:registry.db')).toThrow('sqlite:///file.db')
  expect(url('sqlite://', 'production')).toThrow('production')
  expect(() => fallbackFromSwitches({ ...S3, STORAGE_FALLBACK: 'floppy' })).toThrow('STORAGE_FALLBACK is "floppy"')
})

it('falls back by itself only in development, and to memory never in production', () => {
  const fallback = (variables: Record<string, string>) => fallbackFromSwitches({ ...S3, ...variables })
  for (const ENVIRONMENT of ['', 'production', 'Production', 'staging'])
    expect(fallback({ ENVIRONMENT })).toBeUndefined()
  expect(fallback({ ENVIRONMENT: 'development' })).toEqual(['sqlite://'])
  const sqlite = { USE_SQLITE: '1', SQLALCHEMY_DATABASE_URL: 'sqlite:///r.db' }
  expect(fallback({ ENVIRONMENT: 'development', ...sqlite })).toEqual(['sqlite:///r.db', 'sqlite://'])
  expect(fallback({ ENVIRONMENT: 'development', ...sqlite, STORAGE_FALLBACK: 'none' })).toBeUndefined()
  expect(fallback({ ENVIRONMENT: 'production', STORAGE_FALLBACK: 'sqlite' })).toEqual(['sqlite:///registry.db'])
  expect(() => fallback({ ENVIRONMENT: 'production', STORAGE_FALLBACK: 'sqlite,memory' })).toThrow('production')
  expect(fallbackFromSwitches({ ENVIRONMENT: 'development', USE_SQLITE: '1' })).toEqual(['sqlite://'])
  expect(fallbackFromSwitches({ ENVIRONMENT: 'development' })).toBeUndefined()
})

it('takes the levels of Python’s logging', () => {
  expect(['DEBUG', 'INFO', 'Warning', 'ERROR', 'CRITICAL', ''].map((LOG_LEVEL) => logLevelFrom({ LOG_LEVEL }))).toEqual(
    ['debug', 'info', 'warn', 'error', 'error', undefined],
  )
  expect(() => logLevelFrom({ LOG_LEVEL: 'loud' })).toThrow('WARNING')
})

describe('the place that is chosen', () => {
  let root: string
  const lines: unknown[] = []
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (event, fields) => void lines.push([event, fields]),
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'siltstone-place-'))
    lines.length = 0
  })
  afterEach(() => rmSync(root, { recursive: true }))
  const check = () => Promise.resolve()

  it('is the one that was asked for, which nothing checks before it is opened when there is no other', async () => {
    const failing = () => Promise.reject(unavailable('aws-unreachable', 'out of reach'))
    const options = { variables: {}, log, check: failing }
    expect(await choosePlace(root, [], options)).toEqual({ place: root })
    expect(await choosePlace(root, ['sqlite://'], { ...options, check })).toEqual({ place: root })
    expect(lines).toEqual([])
  })

  it('is the first that passes, and says why', async () => {
    // A bucket at a port where nothing listens.
    const bucket = 's3://b?endpoint=http://127.0.0.1:9'
    const file = `sqlite:///${join(root, 'r.db')}`
    const variables = { CREATE_BUCKET: '0' }
    const refuse: typeof check = () => Promise.reject(unavailable('access-denied', 'Access Denied'))
    writeFileSync(join(root, 'text'), 'no database '.repeat(1_000))
    const broken = `sqlite:///${join(root, 'text')}`
    expect(await choosePlace(broken, [file, 'sqlite://'], { variables, log, check })).toMatchObject({
      place: file,
      fallback: { wanted: broken, used: 'sqlite', code: 'sqlite-damaged' },
    })
    expect(await choosePlace(root, [file, 'sqlite://'], { variables, log, check: refuse })).toMatchObject({
      place: 'sqlite://',
      fallback: { wanted: root, used: 'memory', code: 'access-denied', reason: 'Access Denied' },
    })
    expect(lines).toHaveLength(3)
    expect(lines[0]).toEqual(['storage_failed', expect.objectContaining({ place: broken, code: 'sqlite-damaged' })])
    await expect(
      choosePlace(bucket, ['sqlite://'], { variables: { CREATE_BUCKET: 'perhaps' }, log, check }),
    ).rejects.toThrow('CREATE_BUCKET')
  })
})
