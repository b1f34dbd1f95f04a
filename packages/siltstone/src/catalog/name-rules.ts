/** Chroma's rules for names, with Chroma's messages. The HTTP layer adds `Validation error: name: ` where Chroma does. */
import { invalid } from '../errors.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$/
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)

/** @throws SiltstoneError `invalid` (bad-collection-name), field `name` */
export function checkCollectionName(name: string): void {
  check(name, 'bad-collection-name')
}

/** @throws SiltstoneError `invalid` (bad-database-name), field `name` */
export function checkDatabaseName(name: string): void {
  check(name, 'bad-database-name')
}

/** Chroma has no bound. Every object of the catalog below a tenant repeats its names. */
const MAX_TENANT_LENGTH = 512

/** @throws SiltstoneError `invalid` (bad-tenant-name), field `name` */
export function checkTenantName(name: string): void {
  if (name.length > MAX_TENANT_LENGTH)
    throw invalid('bad-tenant-name', `Expected a tenant name of 3-512 characters. Got: ${shown(name)}`, {
      field: 'name',
    })
  // A string that is not well-formed has no UTF-8 form of its own: two such names could share one key.
  if (Array.from(name).length >= 3 && name.isWellFormed()) return
  throw invalid('bad-tenant-name', `Expected a tenant name of at least 3 characters. Got: ${name}`, { field: 'name' })
}

/** @throws SiltstoneError `invalid` (bad-resource-name), field `resource_name` */
export function checkResourceName(name: string): void {
  // A colon separates the parts of `<resource name>:<database>:<collection>`.
  if (name !== '' && name.isWellFormed() && !name.includes(':') && name.length <= MAX_TENANT_LENGTH) return
  const expected = `a resource name of 1-${MAX_TENANT_LENGTH} characters that has no colon`
  throw invalid('bad-resource-name', `Expected ${expected}. Got: ${shown(name)}`, { field: 'resource_name' })
}

/** A name of any length, for a message. */
function shown(name: string): string {
  return name.length > 1_000 ? `${name.slice(0, 1_000)}… (${name.length} characters)` : name
}

function check(name: string, code: string): void {
  const plus = name.indexOf('+')
  if (plus < 0) {
    checkPart(name, code)
    return
  }
  // `<topology>+<name>`
  if (name.length > 512) {
    throw invalid(code, `Expected a name containing 3-512 characters. Got: ${name.length}`, { field: 'name' })
  }
  const rest = name.slice(plus + 1)
  if (rest.includes('+')) {
    throw invalid(code, 'Expected a name to contain at most one topology:  Got two `+` characters.', { field: 'name' })
  }
  checkPart(name.slice(0, plus), code)
  checkPart(rest, code)
}

function checkPart(name: string, code: string): void {
  const wrong = problem(name)
  if (wrong !== undefined) throw invalid(code, wrong, { field: 'name' })
}

function problem(name: string): string | undefined {
  if (!NAME.test(name)) {
    return `Expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a character in [a-zA-Z0-9]. Got: ${shown(name)}`
  }
  if (name.includes('..')) return `Expected a name that does not contains two consecutive periods (..). Got ${name}`
  if (IPV4.test(name)) return `Expected a name that is not a valid ip address. Got ${name}`
  return undefined
}
