/**
 * The certificate of a server that speaks HTTPS, replaced while it runs.
 *
 * Programs that renew certificates write the files again. They are read again when a look each minute finds that either has
 * changed, and at once at SIGHUP. A pair that does not fit (the renewal is half done, or wrong) is logged and not used:
 * connections go on with the one before, and the next look tries again.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { invalid } from '../errors.ts'
import { fileInfo, readFileText } from '../host/files.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/telemetry.ts'

export interface TlsFiles {
  certPath: string
  keyPath: string
}

export interface TlsPair {
  cert: string
  key: string
}

export interface Certificate {
  /** Names and addresses it is for, as `DNS:example.org, IP Address:127.0.0.1`. */
  subjectAltName: string | undefined
  expiresAtMs: number
}

const LOOK_EVERY_MS = 60_000

/** Reads and checks the pair. @throws SiltstoneError `not-found`, `unavailable`, `invalid` (bad-certificate, bad-key) */
export async function readTls({ certPath, keyPath }: TlsFiles): Promise<TlsPair & { certificate: Certificate }> {
  const [cert, key] = await Promise.all([readFileText(certPath), readFileText(keyPath)])
  const certificate = parsed(() => new X509Certificate(cert), 'bad-certificate', certPath, 'tlsCert')
  const privateKey = parsed(() => createPrivateKey(key), 'bad-key', keyPath, 'tlsKey')
  if (!certificate.checkPrivateKey(privateKey))
    throw invalid('bad-key', `The key in ${keyPath} does not belong to the certificate in ${certPath}`, {
      field: 'tlsKey',
    })
  // The intermediate certificates, too.
  parsed(() => createSecureContext({ cert, key }), 'bad-certificate', certPath, 'tlsCert')
  const { subjectAltName, validToDate } = certificate
  return { cert, key, certificate: { subjectAltName, expiresAtMs: validToDate.getTime() } }
}

function parsed<T>(parse: () => T, code: string, path: string, field: string): T {
  try {
    return parse()
  } catch (cause) {
    const wanted = field === 'tlsKey' ? 'a private key' : 'a certificate chain'
    throw invalid(code, `${path} is not ${wanted} in PEM: ${(cause as Error).message}`, { field, cause })
  }
}

export interface TlsRenewal {
  /** Reads the files again, if they have changed or always. Never rejects. */
  look(options?: { always?: boolean }): Promise<void>
  stop(): void
}

/** Looks each minute. @param use gets each new pair */
export function renewTls(
  files: TlsFiles,
  use: (pair: TlsPair) => void,
  { clock, log }: { clock: Clock; log: Logger },
): TlsRenewal {
  let stopped = false
  let cancel = () => {}
  let before = changesOf(files)
  const look = async ({ always = false } = {}) => {
    try {
      const now = await changesOf(files)
      if (!always && now === (await before.catch(() => ''))) return
      const { cert, key, certificate } = await readTls(files)
      if (stopped) return
      use({ cert, key })
      before = Promise.resolve(now)
      log.info('certificate_renewed', { expiresAtMs: certificate.expiresAtMs })
    } catch (error) {
      log.error('certificate_not_renewed', {
        error,
        remedy: 'the certificate before it is served until the files are right',
      })
    }
  }
  const wait = () => {
    cancel = clock.timer(LOOK_EVERY_MS, () => void look().finally(() => stopped || wait()))
  }
  wait()
  return {
    look,
    stop() {
      stopped = true
      cancel()
    },
  }
}

async function changesOf({ certPath, keyPath }: TlsFiles): Promise<string> {
  const infos = await Promise.all([fileInfo(certPath), fileInfo(keyPath)])
  return infos.map((info) => `${info?.modifiedMs ?? 'missing'}/${info?.sizeBytes ?? 0}`).join()
}
