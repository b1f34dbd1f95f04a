/**
 * Whether the server of this container can serve requests. It asks at the port and over the scheme that the environment
 * configures; a server that is configured by a file needs SILTSTONE_PORT here as well.
 */
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'

const { SILTSTONE_PORT: port = '8000', SILTSTONE_TLS_CERT: cert } = process.env
const request = cert ? overHttps : overHttp
// The certificate is for the name that clients use, not for loopback.
const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, timeout: 4_000 }
request(options, (answer) => {
  answer.resume()
  process.exitCode = answer.statusCode === 200 ? 0 : 1
})
  .on('timeout', function () {
    this.destroy(new Error('no answer within 4 s'))
  })
  .on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  .end()
