import { describe, expect, it } from 'vitest'
import { bucketName, checkEnvironment, checkStack, FUNCTIONS, isProtected, stackNames } from './names.ts'

const ACCOUNT = '111122223333'

describe('names', () => {
  it('of the bucket', () => {
    expect(bucketName('dev', ACCOUNT)).toBe('chromadb-vectors-dev-111122223333')
    expect(bucketName('dev', ACCOUNT, 'b2')).toBe('chromadb-vectors-dev-111122223333-b2')
  })

  it('of a stack do not collide, and fit into what AWS takes', () => {
    const longest = stackNames('a'.repeat(24))
    const { functions, roles, logGroups, ...others } = longest
    const flat = [...Object.values(functions), ...Object.values(others)]
    expect(new Set(flat).size).toBe(flat.length)
    // Roles and functions share the shortest limit.
    for (const name of [...Object.values(functions), ...Object.values(roles)]) expect(name.length).toBeLessThan(65)
    for (const name of FUNCTIONS) expect(logGroups[name]).toBe(`/aws/lambda/${functions[name]}`)
  })

  it('of one stack are no names of another', () => {
    const texts = (stack: string) => JSON.stringify(stackNames(stack)).match(/"[^"]+"/g) ?? []
    const values = (stack: string) => texts(stack).filter((text) => text.includes(stack))
    expect(values('one').length).toBeGreaterThan(10)
    expect(values('one').filter((name) => values('two').includes(name))).toEqual([])
    expect(bucketName('dev', ACCOUNT)).not.toBe(bucketName('test', ACCOUNT))
  })

  it.each(['', 'Dev', 'a_b', '-a', 'a-', 'a'.repeat(25)])('refuse the stack %j', (stack) => {
    expect(() => checkStack(stack)).toThrow('stack is')
  })

  it('refuse accounts and suffixes that make no bucket', () => {
    expect(() => bucketName('dev', '1234')).toThrow('an AWS account id has 12 digits')
    expect(() => bucketName('dev', ACCOUNT, 'B2')).toThrow('use lower-case letters and digits')
    expect(() => bucketName('a'.repeat(24), ACCOUNT, 'b'.repeat(20))).toThrow('more than 63 characters')
  })

  it('protect everything but dev', () => {
    expect(['dev', 'test', 'prod'].map((each) => isProtected(checkEnvironment(each)))).toEqual([false, true, true])
  })
})
