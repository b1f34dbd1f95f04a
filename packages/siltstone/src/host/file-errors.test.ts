import { describe, expect, it } from 'vitest'
import { invalid, unavailable } from '../errors.ts'
import { fileError, isDiskFull, isShortOfFiles } from './file-errors.ts'

const systemError = (code: string) => Object.assign(new Error(`${code}: it failed`), { code })
const failure = { path: '/data/a/b', doing: 'write', key: 'a/b' }

describe('fileError', () => {
  it.each([
    ['ENOSPC', 'unavailable', 'disk-full'],
    ['EDQUOT', 'unavailable', 'disk-full'],
    ['EFBIG', 'unavailable', 'disk-full'],
    ['EROFS', 'unavailable', 'read-only'],
    ['EACCES', 'unavailable', 'access-denied'],
    ['EPERM', 'unavailable', 'access-denied'],
    ['EMFILE', 'unavailable', 'too-many-open-files'],
    ['ENFILE', 'unavailable', 'too-many-open-files'],
    ['EISDIR', 'invalid', 'key-conflict'],
    ['ENOTDIR', 'invalid', 'key-conflict'],
    ['ENAMETOOLONG', 'invalid', 'bad-key'],
    ['EXDEV', 'unsupported', 'filesystem'],
    ['ENOENT', 'not-found', 'file-missing'],
    ['EIO', 'unavailable', 'io-error'],
    ['EWHATEVER', 'unavailable', 'io-error'],
  ])('%s is %s %s, names the path and keeps the cause', (code, kind, publicCode) => {
    const cause = systemError(code)
    const error = fileError(cause, failure)
    expect(error).toMatchObject({ kind, code: publicCode, key: 'a/b', cause })
    expect(error.message).toContain('Cannot write /data/a/b: ')
  })

  it('says what to do about a full disk', () => {
    expect(fileError(systemError('ENOSPC'), failure).message).toBe(
      'Cannot write /data/a/b: the disk or quota is full. Nothing was changed; free some space and try again.',
    )
  })

  it('leaves our own errors as they are', () => {
    const own = invalid('bad-range', 'no')
    expect(fileError(own, failure)).toBe(own)
  })
})

it('a full disk is told by its code, of ours and of the system', () => {
  const errors = [
    unavailable('disk-full', 'no'),
    ...['ENOSPC', 'EDQUOT', 'EIO'].map(systemError),
    invalid('x', 'ENOSPC'),
  ]
  expect(errors.map(isDiskFull)).toEqual([true, true, true, false, false])
})

describe('isShortOfFiles', () => {
  it('is true for what passes by itself', () => {
    expect(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOSPC'].map((code) => isShortOfFiles(systemError(code)))).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})
