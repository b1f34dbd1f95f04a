/**
 * Passwords as PHC strings (https://github.com/P-H-C/phc-string-format), base64 without padding: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`,
 * by Argon2id (RFC 9106) with 19 MiB and two passes for each guess, the least that OWASP's password storage cheat sheet asks for: logins at
 * the same time must not take the memory of a small server.
 *
 * Node has Argon2 from 24.7 on. Older ones make hashes by scrypt (RFC 7914), `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` with 32 MiB, and cannot check
 * those of newer ones: that is an error which says so. A hash by scrypt is replaced at the next login where Argon2 is there.
 */
import crypto from 'node:crypto'
import { corrupt, invalid, type Random, unsupported } from 'siltstone/internal'
import { secretBytes } from './secret.ts'

export interface PasswordCost {
  /** Memory of one computation. Default 19,456. */
  memoryKib?: number
  /** Over the memory. Default 2. Hashes by scrypt have one. */
  passes?: number
  /** Default: the best that this Node has. */
  algorithm?: 'argon2id' | 'scrypt'
}

const MEMORY_KIB = 19_456
const PASSES = 2
/** More is no hash of this registry, and would take the memory of the server. */
const MAX_MEMORY_KIB = 1_048_576
const MAX_PASSES = 100
const SCRYPT_R = 8
const SALT_BYTES = 16
const HASH_BYTES = 32
/** Characters are Unicode code points, as JSON Schema counts them. */
export const MIN_PASSWORD_CHARACTERS = 12
export const MAX_PASSWORD_CHARACTERS = 1_024

const hasArgon2 = typeof crypto.argon2 === 'function'

/** @throws SiltstoneError `invalid` (weak-password) */
export function checkPassword(password: string): void {
  const count = Array.from(password).length
  if (count < MIN_PASSWORD_CHARACTERS || count > MAX_PASSWORD_CHARACTERS) {
    const text = `the password has ${count} characters: give one of ${MIN_PASSWORD_CHARACTERS} to ${MAX_PASSWORD_CHARACTERS}`
    throw invalid('weak-password', text, { field: 'secret.password' })
  }
}

export async function hashPassword(password: string, random: Random, cost: PasswordCost = {}): Promise<string> {
  const { memoryKib, passes, algorithm, log2N } = withDefaults(cost)
  const salt = secretBytes(random, SALT_BYTES)
  if (algorithm === 'scrypt') {
    const hash = await byScrypt(password, salt, log2N)
    return `$scrypt$ln=${log2N},r=${SCRYPT_R},p=1$${base64(salt)}$${base64(hash)}`
  }
  const hash = await byArgon2(password, salt, { memoryKib, passes, parallelism: 1 })
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${base64(salt)}$${base64(hash)}`
}

/** @throws SiltstoneError `corrupt` (password-hash): the stored text is no hash of this module; `unsupported` (argon2-missing) */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const scrypt = SCRYPT.exec(stored)
  if (scrypt !== null) {
    const [, log2N = '', salt = '', expected = ''] = scrypt
    return isEqual(await byScrypt(password, Buffer.from(salt, 'base64'), Number(log2N)), expected)
  }
  const { memoryKib, passes, parallelism, salt, expected } = parsedArgon2(stored)
  return isEqual(await byArgon2(password, Buffer.from(salt, 'base64'), { memoryKib, passes, parallelism }), expected)
}

/** Whether a hash was made with less work, or by another algorithm, than now is asked for. */
export function isOutdated(stored: string, cost: PasswordCost = {}): boolean {
  const { memoryKib, passes, algorithm, log2N } = withDefaults(cost)
  const scrypt = SCRYPT.exec(stored)
  if (scrypt !== null) return algorithm === 'argon2id' || Number(scrypt[1]) < log2N
  const made = parsedArgon2(stored)
  return made.memoryKib < memoryKib || made.passes < passes
}

const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([\w+/]+)\$([\w+/]+)$/
const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]{11,})\$([\w+/]+)$/

function withDefaults({ memoryKib = MEMORY_KIB, passes = PASSES, algorithm }: PasswordCost) {
  return {
    memoryKib,
    passes,
    algorithm: algorithm ?? (hasArgon2 ? ('argon2id' as const) : ('scrypt' as const)),
    // With r = 8 scrypt takes 2^ln KiB.
    log2N: Math.ceil(Math.log2(memoryKib)),
  }
}

/** @throws SiltstoneError `corrupt` (password-hash) */
function parsedArgon2(stored: string) {
  const [isHash, m = '', t = '', p = '', salt = '', expected = ''] = ARGON2.exec(stored) ?? []
  const [memoryKib, passes, parallelism] = [Number(m), Number(t), Number(p)]
  if (isHash === undefined || memoryKib > MAX_MEMORY_KIB || passes > MAX_PASSES)
    throw corrupt('password-hash', 'a stored password hash has an unknown form')
  return { memoryKib, passes, parallelism, salt, expected }
}

function isEqual(hash: Buffer, expected: string): boolean {
  const wanted = Buffer.from(expected, 'base64')
  return wanted.length === hash.length && crypto.timingSafeEqual(hash, wanted)
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replaceAll('=', '')

function byArgon2(
  password: string,
  salt: Uint8Array,
  { memoryKib, passes, parallelism }: { memoryKib: number; passes: number; parallelism: number },
): Promise<Buffer> {
  if (!hasArgon2) {
    const text =
      'a password was hashed by Argon2, which this Node does not have: run all processes of the registry on Node 24.7 or later'
    throw unsupported('argon2-missing', text)
  }
  const message = password.normalize('NFC')
  const parameters = { message, nonce: salt, parallelism, tagLength: HASH_BYTES, memory: memoryKib, passes }
  return new Promise((resolve, reject) => {
    crypto.argon2('argon2id', parameters, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function byScrypt(password: string, salt: Uint8Array, log2N: number): Promise<Buffer> {
  const N = 2 ** log2N
  const options = { N, r: SCRYPT_R, p: 1, maxmem: 256 * N * SCRYPT_R }
  return new Promise((resolve, reject) => {
    crypto.scrypt(password.normalize('NFC'), salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
