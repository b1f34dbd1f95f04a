import { describe, expect, it } from 'vitest'
import { parseS3Place } from './s3-place.ts'

describe('parseS3Place', () => {
  it('takes bucket and prefix, and the rest from the environment', () => {
    expect(parseS3Place('s3://bucket', {})).toMatchObject({ bucket: 'bucket', prefix: '', pathStyle: false })
    expect(
      parseS3Place('s3://bucket/a/b/', {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        SILTSTONE_QUEUE_URL: 'http://q',
        SILTSTONE_LOCK_TABLE: 'locks',
      }),
    ).toEqual({
      bucket: 'bucket',
      prefix: 'a/b/',
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      pathStyle: true,
      checksums: 'supported',
      batchDelete: true,
      queueUrl: 'http://q',
      lockTable: 'locks',
    })
  })

  it('prefers what the URL says', () => {
    const place = parseS3Place('s3://b/p?region=eu-west-1&endpoint=http://h&pathStyle=false&checksums=required', {
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL_S3: 'http://other',
    })
    expect(place).toMatchObject({ region: 'eu-west-1', endpoint: 'http://h', pathStyle: false, checksums: 'required' })
  })

  it.each(['s3://', 's3:bucket', 's3://b/../c', 's3://b?colour=red', 's3://b?pathStyle=1', 's3://user:secret@b/p'])(
    'refuses %s, without repeating a secret',
    (url) => {
      expect(() => parseS3Place(url, {})).toThrow(expect.objectContaining({ code: 'bad-s3-url' }) as Error)
      expect(() => parseS3Place(url, {})).not.toThrow('secret')
    },
  )
})
