/** Who asks: requests go to the processes in turn. */
import type { FakeService } from '@siltstone/registry/testing'
import type { Answer, CallOptions, ServedProcess } from '../served.ts'
import type { Points } from './points.ts'

export interface Uploaded {
  type: string
  name: string
  url: string
  id: string
}

/** As the contract shows an artifact. */
export interface Metadata {
  name: string
  id: string
  type: string
}

export class Asker {
  readonly points: Points
  readonly processes: readonly ServedProcess[]
  readonly hub: FakeService
  readonly uploaded: Uploaded[] = []
  token = ''
  #turn = 0

  constructor(points: Points, processes: readonly ServedProcess[], hub: FakeService) {
    this.points = points
    this.processes = processes
    this.hub = hub
  }

  group(name: string) {
    return (what: string, work: () => unknown) => this.points.point(name, what, work)
  }

  next(): ServedProcess {
    return this.processes[this.#turn++ % this.processes.length] as ServedProcess
  }

  /** Without a token. */
  raw(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    return this.next().call(method, path, options)
  }

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.raw(method, path, { token: this.token, body })
  }

  idOf(type: string, name: string): string {
    return this.uploaded.find((each) => each.type === type && each.name === name)?.id ?? 'not-uploaded'
  }
}
