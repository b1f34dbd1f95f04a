/** Without the AWS SDK, opening a bucket is an error that says what to install. */
import assert from 'node:assert/strict'
import { isSiltstoneError, openStore } from 'siltstone'

await assert.rejects(openStore('s3://bucket/store'), (error) => {
  assert.ok(isSiltstoneError(error, 'unsupported'), String(error))
  assert.equal(error.code, 'aws-sdk-missing')
  assert.match(error.message, /`npm install @aws-sdk\/client-dynamodb @aws-sdk\/client-s3 .*@smithy\/signature-v4`/)
  return true
})
console.log('done')
