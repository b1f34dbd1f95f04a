/** Secrets from the Random port, which is the operating system's secure source outside tests. */
import type { Random } from 'siltstone/internal'

export const secretBytes = (random: Random, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => Math.floor(random.next() * 256))

/** 256 bits, base64url. */
export const secretText = (random: Random): string => Buffer.from(secretBytes(random, 32)).toString('base64url')
