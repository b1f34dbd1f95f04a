/** Reads a whole inverted file and checks all that can be checked without the vectors. */
import { corrupt } from '../errors.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { ivfOf } from './ivf.ts'

const LISTS_AT_ONCE = 256

/** Does nothing for a segment without one. @throws SiltstoneError `corrupt` */
export async function verifyIvf(reader: SegmentReader): Promise<void> {
  const ivf = await ivfOf(reader)
  if (!ivf) return
  const { directory, lists } = ivf
  const { clusters, firstRows } = directory
  for (let first = 0; first < clusters; first += LISTS_AT_ONCE) {
    const some = Array.from({ length: Math.min(LISTS_AT_ONCE, clusters - first) }, (_, i) => first + i)
    await lists.read(some, (cluster, { copies }) => {
      const fail = (reason: string): never => {
        const { id } = reader.descriptor
        throw corrupt('list-damaged', `segment ${id}: list ${cluster} of its inverted file: ${reason}`)
      }
      let last = -1
      for (const row of copies) {
        if (row >= reader.rows) fail(`it names row ${row}, and the segment has ${reader.rows} rows`)
        if (row <= last) fail('its copies are not in order')
        if (row >= (firstRows[cluster] as number) && row < (firstRows[cluster + 1] as number))
          fail(`row ${row} is in it twice`)
        last = row
      }
    })
  }
}
