import { bucketTarget } from './damaged-bucket.ts'
import { formatTargets } from './formats.ts'
import { httpTarget } from './http.ts'
import { segmentTargetList } from './segments.ts'
import type { Target } from './target.ts'

export async function allTargets(): Promise<Target[]> {
  return [...formatTargets, ...(await segmentTargetList()), await httpTarget(), await bucketTarget()]
}
