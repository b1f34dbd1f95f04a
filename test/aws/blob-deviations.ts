/** How the servers of the suites differ from S3, where objects of users are concerned. */
import type { Target } from '@siltstone/emulated-aws'
import type { BlobDeviation } from 'siltstone/contracts'

const MINISTACK: BlobDeviation[] = [
  { test: 'are listed by prefix, in order of keys', reason: 'a page of versions with a delimiter never ends' },
  {
    test: 'are invisible until they are completed, and resume by their list',
    reason: 'the tags of an upload are lost',
  },
  { test: 'stay readable one by one', reason: 'a part that there is not is answered with the whole object' },
  { test: 'are listed with their sizes and checksums', reason: 'parts are listed without checksums' },
  { test: 'are FULL_OBJECT of CRC64NVME', reason: 'the type of the checksum is reported as COMPOSITE' },
]

const MOTO: BlobDeviation[] = [
  {
    test: 'writes one of many at once under a condition',
    reason: 'conditions are checked without a lock between threads',
  },
  { test: 'keeps a checksum that was asked for', reason: 'the value that was sent is not kept' },
  { test: 'copies under conditions on the source', reason: 'the condition on the source is ignored' },
  { test: 'keeps any key beside any other, and lists them in byte order', reason: 'a key with a tab is answered 500' },
  { test: 'of a suspended bucket have one without an id', reason: 'older versions are lost' },
  { test: 'are completed under conditions', reason: 'If-Match of a completion is ignored' },
  { test: 'stay readable one by one', reason: 'the number of a part is ignored' },
  { test: 'are listed with their sizes and checksums', reason: 'no parts are listed' },
  { test: 'are COMPOSITE of CRC32', reason: 'the checksum of an object in parts is that of the whole' },
  { test: 'are COMPOSITE of SHA256', reason: 'the checksum of an object in parts is that of the whole' },
  { test: 'are gone when they are aborted', reason: 'a part of an aborted upload is answered 500' },
]

export function blobDeviationsOf({ name }: Target): BlobDeviation[] {
  if (name.startsWith('MiniStack ')) return MINISTACK
  return name.startsWith('moto ') ? MOTO : []
}
