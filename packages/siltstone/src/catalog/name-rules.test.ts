import { describe, expect, it } from 'vitest'
import { checkCollectionName, checkDatabaseName, checkResourceName, checkTenantName } from './name-rules.ts'

describe('names of collections', () => {
  it.each(['abc', 'a-1', 'A.b_c-9', 'a'.repeat(512), 'topology+name', '1.2.3', '256.1.1.1', '01.2.3.4'])(
    'takes %j',
    (name) => {
      checkCollectionName(name)
      checkDatabaseName(name)
    },
  )

  const rule =
    'Expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a character in [a-zA-Z0-9]. Got: '
  it.each([
    ['a', `${rule}a`],
    ['', rule],
    ['-abc', `${rule}-abc`],
    ['abc.', `${rule}abc.`],
    ['a b', `${rule}a b`],
    ['naïve', `${rule}naïve`],
    ['abc\n', `${rule}abc\n`],
    ['a'.repeat(513), `${rule}${'a'.repeat(513)}`],
    ['my..coll', 'Expected a name that does not contains two consecutive periods (..). Got my..coll'],
    ['192.168.1.1', 'Expected a name that is not a valid ip address. Got 192.168.1.1'],
    ['a+name', `${rule}a`],
    ['topology+n', `${rule}n`],
    ['one+two+three', 'Expected a name to contain at most one topology:  Got two `+` characters.'],
    [`abc+${'a'.repeat(512)}`, 'Expected a name containing 3-512 characters. Got: 516'],
  ])('refuses %j with its text', (name, message) => {
    expect(() => checkCollectionName(name)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-collection-name', field: 'name', message }),
    )
    expect(() => checkDatabaseName(name)).toThrow(expect.objectContaining({ code: 'bad-database-name', message }))
  })
})

describe('names of tenants and resources', () => {
  it('accepts every well-formed name that is long enough, and not too long', () => {
    checkTenantName('a:/')
    checkTenantName('日'.repeat(512))
    checkResourceName('r'.repeat(512))
    checkTenantName('日本語')
    checkResourceName('r')
  })

  it.each(['', 'ab', '😀😀', 'ab\ud800', 'a'.repeat(513)])('refuses the tenant %j', (name) => {
    expect(() => checkTenantName(name)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'bad-tenant-name' }))
  })

  it('shows no more of a name than a message can hold', () => {
    for (const check of [checkCollectionName, checkTenantName, checkResourceName])
      expect(() => check('x'.repeat(1_000_000))).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^.{1000,1300}… \(1000000 characters\)$/) }),
      )
  })

  it.each(['', 'a:b', 'x\udc00', 'r'.repeat(513)])('refuses the resource name %j', (name) => {
    expect(() => checkResourceName(name)).toThrow(expect.objectContaining({ code: 'bad-resource-name' }))
  })
})
