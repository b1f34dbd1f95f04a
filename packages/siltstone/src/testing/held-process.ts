import { pointerKey } from '../format/keys.ts'
import { between, path, type World } from './world.ts'

/** A process that stops before its first commit until it is told to go on. */
export function heldProcess(world: World, name: string) {
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const store = between(world.env.store, {
    put: async (key, body, options) => {
      if (key === pointerKey(path)) {
        reached.resolve()
        await goOn.promise
      }
      return world.env.store.put(key, body, options)
    },
  })
  return { process: world.process(name, store), reached: reached.promise, goOn: goOn.resolve }
}
