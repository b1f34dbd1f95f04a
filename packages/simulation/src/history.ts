/** One history: a world and its actors from a seed, then an end of all faults, then the checks of a world at rest. */
import {
  runCollector,
  runCompactor,
  runInvocations,
  runLifecycle,
  runOperator,
  runProducer,
  runRepeater,
} from './actors.ts'
import { runKeeper, runRenamer, runRival } from './catalog-actors.ts'
import { runRestorer } from './restorer.ts'
import type { Marks } from './marks.ts'
import { drawPlan, type Plan, type PlanNumbers } from './plan.ts'
import { checkAtRest, quiesce } from './rest.ts'
import { Server } from './server.ts'
import { runSession } from './session.ts'
import type { Violation } from './violation.ts'
import { World } from './world.ts'

export interface Outcome {
  seed: number
  plan: Plan
  violation: Violation | undefined
  traceHash: string
  events: number
  simulatedMs: number
  marks: Marks
  lines: string[] | undefined
}

export async function runHistory(
  seed: number,
  overrides: Partial<PlanNumbers> = {},
  keepTrace = false,
): Promise<Outcome> {
  const plan = drawPlan(seed, overrides)
  const world = await World.create(seed, plan, keepTrace)
  const servers = Array.from({ length: plan.servers }, (_, i) => new Server(world, `server${i}`, i < plan.background))
  const named = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}${i}`)
  const foreground = [
    ...named('session', plan.sessions).map((name) => runSession(world, name, servers, plan.operations)),
    ...named('producer', plan.producers).map((name) => runProducer(world, name)),
    ...named('lifecycle', plan.lifecycles).map((name) => runLifecycle(world, name, servers)),
    ...named('renamer', plan.renamers).map((name) => runRenamer(world, name, servers)),
    ...named('keeper', plan.keepers).map((name) => runKeeper(world, name, servers)),
    ...named('rival', plan.rivals).map((name) => runRival(world, name, servers)),
  ]
  const background = [
    ...named('compactor', plan.compactors).map((name) => runCompactor(world, name)),
    ...named('invoked', plan.invocations).map((name) => runInvocations(world, name)),
    ...named('collector', plan.collectors).map((name) => runCollector(world, name)),
    ...named('operator', plan.operators).map((name) => runOperator(world, name)),
    ...named('repeater', plan.repeaters).map((name) => runRepeater(world, name)),
    ...named('restorer', plan.restorers).map((name) => runRestorer(world, name)),
  ]
  const work = (async () => {
    await Promise.all(foreground)
    await quiesce(world, servers, background)
    await checkAtRest(world)
  })()
  let finished = false
  const finish = (error?: unknown) => {
    finished = true
    if (error !== undefined)
      world.fail('simulation', error instanceof Error ? (error.stack ?? '') : JSON.stringify(error))
  }
  work.then(() => finish(), finish)
  const ended = await world.scheduler.run(() => finished || world.violation !== undefined, plan.maxEvents)
  if (!ended) world.fail('rest', 'the world stands still, or never comes to rest')
  return {
    seed,
    plan,
    violation: world.violation,
    traceHash: world.trace.hash,
    events: world.scheduler.fired,
    simulatedMs: world.scheduler.nowMs,
    marks: world.marks,
    lines: world.trace.lines,
  }
}
