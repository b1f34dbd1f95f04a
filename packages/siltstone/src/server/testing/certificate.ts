/** Makes certificates that sign themselves, for 127.0.0.1 and localhost: X.509 version 3 in DER (RFC 5280), with Ed25519. */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface TestCertificate {
  cert: string
  key: string
}

/** @param serial makes certificates differ, 1 to 127 */
export function testCertificate(serial = 1, validDays = 30): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const algorithm = sequence(oid(1, 3, 101, 112))
  const name = sequence(set(sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from('localhost')))))
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = sequence(sequence(oid(2, 5, 29, 17), tagged(0x04, names)))
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([serial])),
    algorithm,
    name,
    sequence(time(-1), time(validDays)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign(null, content, privateKey)])
  const der = sequence(content, algorithm, tagged(0x03, signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), content])
}

const sequence = (...parts: Buffer[]) => tagged(0x30, ...parts)
const set = (...parts: Buffer[]) => tagged(0x31, ...parts)

/** All parts but the first two are below 128. */
function oid(first: number, second: number, ...rest: number[]): Buffer {
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest]))
}

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return tagged(0x17, Buffer.from(text.slice(2)))
}
