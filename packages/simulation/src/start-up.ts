/**
 * How `siltstone serve` starts on a bucket: it probes the bucket's conditions, and waits while the bucket cannot be reached.
 * Whatever requests and answers get lost, it must neither take the store for one that ignores conditions, nor end.
 */
import { isSiltstoneError, openPatiently, probeConditions, StoreEngine, unavailable } from 'siltstone/internal'
import { Crashed, type Incarnation } from './incarnation.ts'
import type { World } from './world.ts'

export async function startPatiently(world: World, process: Incarnation): Promise<StoreEngine> {
  const env = world.environment(process)
  const open = async () => {
    const problem = await probeConditions(env.store, () => `probe/${env.ids.ulid()}`)
    if (problem !== undefined) world.fail('start-up', `${process.name} refuses the store: ${problem}`)
    world.marks.hit('store probed')
    return world.openEngine(process)
  }
  const waiting = {
    ...env,
    log: { ...env.log, warn: () => world.marks.hit('start-up waited') },
  }
  try {
    return await openPatiently('the bucket', () => outOfReach(open()), waiting)
  } catch (error) {
    // Rights and space need an operator, and so does damage; the process ends and says so.
    const code = isSiltstoneError(error) ? error.code : ''
    const isExpected =
      error instanceof Crashed ||
      isSiltstoneError(error, 'corrupt') ||
      (world.plan.refusals.length > 0 && ['disk-full', 'access-denied'].includes(code))
    if (!isExpected) world.fail('start-up', `${process.name} ended at its start: ${String(error)}`)
    throw error
  }
}

/** The driver's name of what the network injects. */
async function outOfReach<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    if (isSiltstoneError(error, 'unavailable') && error.code === 'injected')
      throw unavailable('aws-unreachable', error.message, { cause: error })
    throw error
  }
}
