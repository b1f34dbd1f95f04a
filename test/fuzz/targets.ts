import { bucketTarget } from './damaged-bucket.ts'
import { formatTargets } from './formats.ts'
import { httpTarget } from './http.ts'
import { publishedTargets } from './published.ts'
import { segmentTargetList } from './segments.ts'
import type { Target } from './target.ts'

export async function allTargets(): Promise<Target[]> {
  return [
    ...formatTargets,
    ...(await segmentTargetList()),
    ...(await publishedTargets()),
    await httpTarget(),
    await bucketTarget(),
  ]
}
