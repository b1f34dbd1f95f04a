/** What holds for any uploads, deletions and expiries, by workers that are killed or stall anywhere. */
import fc from 'fast-check'
import { ACTORS, checkSettled, checkStates, CONTENTS, KEYS, Run, type Step } from './process-run.ts'
import { ProcessWorld } from './process-world.ts'

const key = fc.nat(KEYS.length - 1)
const actor = fc.nat(ACTORS - 1)
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('put' as const), key, content: fc.nat(CONTENTS.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key, content: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), key, content: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('expire' as const),
      by: fc.constantFrom('sweep' as const, 'store' as const),
      told: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('begin' as const), actor, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), actor, key: fc.constant(0) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('stepTo' as const),
      actor,
      request: fc.constantFrom('commitIf', 'commitIf', 'write', 'put', 'delete', 'media', 'task'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 61_000, 1_000_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), lost: fc.nat(3).map((n) => n === 0) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'refuse' as const }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      actor,
      times: fc.integer({ min: 1, max: 25 }),
      choice: fc.nat(3),
    }),
  },
)

export const processProperty = () =>
  fc.asyncProperty(fc.array(stepArbitrary, { minLength: 4, maxLength: 40, size: 'max' }), async (steps) => {
    const run = new Run(await ProcessWorld.make())
    for (const step of steps) {
      await run.apply(step)
      await checkStates(run)
    }
    // Workers that still work are stalled now, and others do all the work.
    await run.world.settle(run.messages)
    await checkSettled(run)
    // Those who stalled go on. They change nothing, not even for a moment.
    for (const one of run.actors) while (await one.step(0)) await checkStates(run)
    await run.world.settle(run.messages)
    await checkSettled(run)
    await run.world.engine.close()
  })
