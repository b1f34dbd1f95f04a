/**
 * Passwords as PHC strings of scrypt: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, base64 without padding. Argon2id is in Node only since
 * 24.7, and this package runs on older ones; scrypt with these parameters needs 32 MB for each guess (RFC 7914).
 */
import { scrypt, timingSafeEqual } from 'node:crypto'
import { corrupt, invalid, type Random } from 'siltstone/internal'
import { secretBytes } from './secret.ts'

export interface PasswordCost {
  /** Binary logarithm of the memory in units of 1 kB. Default 15. */
  log2N?: number
}

const LOG2_N = 15
const R = 8
const P = 1
const SALT_BYTES = 16
const HASH_BYTES = 32
/** Characters are Unicode code points, as JSON Schema counts them. */
export const MIN_PASSWORD_CHARACTERS = 12
export const MAX_PASSWORD_CHARACTERS = 1_024

/** @throws SiltstoneError `invalid` (weak-password) */
export function checkPassword(password: string): void {
  const count = Array.from(password).length
  if (count < MIN_PASSWORD_CHARACTERS || count > MAX_PASSWORD_CHARACTERS) {
    const text = `the password has ${count} characters: give one of ${MIN_PASSWORD_CHARACTERS} to ${MAX_PASSWORD_CHARACTERS}`
    throw invalid('weak-password', text, { field: 'secret.password' })
  }
}

export async function hashPassword(
  password: string,
  random: Random,
  { log2N = LOG2_N }: PasswordCost = {},
): Promise<string> {
  const salt = secretBytes(random, SALT_BYTES)
  const hash = await derive(password, salt, log2N)
  return `$scrypt$ln=${log2N},r=${R},p=${P}$${base64(salt)}$${base64(hash)}`
}

/** @throws SiltstoneError `corrupt` (password-hash): the stored text is no hash of this module */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([\w+/]+)\$([\w+/]+)$/.exec(stored)
  if (match === null) throw corrupt('password-hash', 'a stored password hash has an unknown form')
  const [, log2N = '', salt = '', expected = ''] = match
  const hash = await derive(password, Buffer.from(salt, 'base64'), Number(log2N))
  return timingSafeEqual(hash, Buffer.from(expected, 'base64'))
}

/** Whether a hash was made with less work than now is asked for. */
export const isOutdated = (stored: string, { log2N = LOG2_N }: PasswordCost = {}): boolean =>
  Number(/ln=(\d+)/.exec(stored)?.[1] ?? 0) < log2N

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replaceAll('=', '')

function derive(password: string, salt: Uint8Array, log2N: number): Promise<Buffer> {
  const N = 2 ** log2N
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, { N, r: R, p: P, maxmem: 256 * N * R }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
