/** A process with an engine, which starts again without any memory after a crash. */
import { Background, type Collection, type StoreEngine } from 'siltstone/internal'
import { Crashed, type Incarnation } from './incarnation.ts'
import { startPatiently } from './start-up.ts'
import { DATABASE, type Target, TENANT, type World } from './world.ts'

const BACKGROUND = { gatherMs: 50, scheduleMs: 15_000, visibilityMs: 20_000 }

export class Server {
  readonly name: string
  readonly #world: World
  readonly #withBackground: boolean
  #running: Promise<Running> | undefined

  constructor(world: World, name: string, withBackground = false) {
    this.#world = world
    this.name = name
    this.#withBackground = withBackground
  }

  /** Calls the process; rejects with `Crashed` if it crashes before it answers. */
  async use<T>(work: (engine: StoreEngine, process: Incarnation) => Promise<T>): Promise<T> {
    const { engine, process } = await this.up()
    return process.call(() => work(engine, process))
  }

  useCollection<T>(target: Target, work: (collection: Collection) => Promise<T>): Promise<T> {
    return this.use(async (engine) => work(await engine.collection(TENANT, DATABASE, target.info.id)))
  }

  async up(): Promise<Running> {
    for (;;) {
      const starting = (this.#running ??= this.#start(false))
      const running = await starting
      if (running.process.alive) return running
      // Only the first of several waiting callers starts the process again: a second one would never be ended.
      if (this.#running === starting) this.#running = this.#start(true)
    }
  }

  async kill(): Promise<void> {
    const running = await this.#running
    running?.process.crash()
  }

  async #start(again: boolean): Promise<Running> {
    const { scheduler, chance, marks } = this.#world
    if (again) {
      marks.hit('process restarted from nothing')
      await scheduler.sleep(chance.between(0, 4_000))
    }
    for (;;) {
      const process = this.#world.boot(this.name)
      try {
        const { plan } = this.#world
        const engine = await process.call(() =>
          plan.probing === 1 ? startPatiently(this.#world, process) : this.#world.openEngine(process),
        )
        // The background work ends with its process, never before.
        const background = this.#withBackground && new Background(engine, BACKGROUND)
        return { process, engine, background }
      } catch (error) {
        const damaged = 0
        if (!(error instanceof Crashed)) this.#world.judge(error, `start of ${this.name}`, damaged, false)
        process.crash()
        await scheduler.sleep(chance.between(10, 1_000))
      }
    }
  }
}

interface Running {
  process: Incarnation
  engine: StoreEngine
  background: Background | false
}
