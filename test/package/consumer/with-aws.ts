/** With the AWS SDK, opening a bucket sends requests. No server listens at this address. */
import assert from 'node:assert/strict'
import { isSiltstoneError, openStore } from 'siltstone'

process.env['AWS_ACCESS_KEY_ID'] = 'none'
process.env['AWS_SECRET_ACCESS_KEY'] = 'none'
await assert.rejects(openStore('s3://bucket/store?endpoint=http://127.0.0.1:9'), (error) => {
  assert.ok(isSiltstoneError(error, 'unavailable') || isSiltstoneError(error, 'unknown'), String(error))
  return true
})
console.log('done')
