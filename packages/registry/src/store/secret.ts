/** A secret that all processes share, made by the first, and signatures of links with it. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Clock, forbidden, type Random } from 'siltstone/internal'
import { secretText } from '../accounts/secret.ts'
import type { DocumentKind, Documents, Envelope } from './documents.ts'
import { SECRET_KEY } from './keys.ts'

interface SecretDocument extends Envelope {
  secret: string
}

const secretKind: DocumentKind<SecretDocument> = {
  format: 'registry-secret',
  v: 1,
  wrongField: ({ secret }) => (typeof secret === 'string' && secret.length >= 43 ? undefined : 'secret'),
}

export class LinkSigner {
  readonly #options: { documents: Documents; random: Random; clock: Clock }
  #secret: Promise<string> | undefined

  constructor(options: { documents: Documents; random: Random; clock: Clock }) {
    this.#options = options
  }

  /** The query of a link that is good for `lifetimeMs`. @param what everything that the link allows */
  async sign(what: string, lifetimeMs: number): Promise<string> {
    const exp = Math.floor((this.#options.clock.nowMs() + lifetimeMs) / 1_000)
    return `exp=${exp}&sig=${await this.#signature(what, exp)}`
  }

  /** @throws SiltstoneError `forbidden` (link-signature, link-expired) */
  async check(what: string, query: URLSearchParams): Promise<void> {
    const exp = Number(query.get('exp') ?? Number.NaN)
    const given = Buffer.from(query.get('sig') ?? '')
    const expected = Buffer.from(await this.#signature(what, exp))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw forbidden('link-signature', 'the link was not made by this registry')
    }
    if (exp * 1_000 < this.#options.clock.nowMs()) throw forbidden('link-expired', 'the link has expired: ask again')
  }

  /** 32 bytes that only this registry's processes know. @param what they are for */
  async key(what: string): Promise<Uint8Array> {
    // No signature is of a text that begins like this, because a time comes first.
    return createHmac('sha256', await this.#loaded())
      .update(`key\n${what}`)
      .digest()
  }

  async #signature(what: string, exp: number): Promise<string> {
    return createHmac('sha256', await this.#loaded())
      .update(`${exp}\n${what}`)
      .digest('base64url')
  }

  #loaded(): Promise<string> {
    this.#secret ??= this.#load().catch((error: unknown) => {
      this.#secret = undefined
      throw error
    })
    return this.#secret
  }

  async #load(): Promise<string> {
    const { documents, random } = this.#options
    const version = await documents.change(SECRET_KEY, secretKind, (current) =>
      current === undefined
        ? { secret: secretText(random), siltstone: { format: secretKind.format, v: secretKind.v, writes: [] } }
        : undefined,
    )
    return (version as NonNullable<typeof version>).document.secret
  }
}
