/** What a workload uses of each service, added up by cause. */
import type { Requests } from './operations.ts'
import type { PriceItem } from './prices.ts'

/** The cause of a cost. */
export type Activity = 'writes' | 'cold queries' | 'warm queries' | 'objects' | 'storage' | 'fixed'

export interface Quantity {
  item: PriceItem
  activity: Activity
  quantity: number
}

export interface LambdaUse {
  invocations: number
  seconds: number
  memoryMb: number
  diskMb?: number
}

const FREE_DISK_MB = 512

export class Use {
  readonly #sums = new Map<string, Quantity>()

  add(item: PriceItem, activity: Activity, quantity: number): void {
    const key = `${activity}/${item}`
    const sum = this.#sums.get(key) ?? { item, activity, quantity: 0 }
    sum.quantity += quantity
    this.#sums.set(key, sum)
  }

  requests({ put, get }: Requests, activity: Activity, count: number): void {
    this.add('s3Put', activity, put * count)
    this.add('s3Get', activity, get * count)
  }

  lambda(activity: Activity, { invocations, seconds, memoryMb, diskMb = FREE_DISK_MB }: LambdaUse): void {
    this.add('lambdaInvocation', activity, invocations)
    this.add('lambdaGbSecond', activity, (seconds * memoryMb) / 1_024)
    this.add('lambdaDiskGbSecond', activity, (seconds * Math.max(0, diskMb - FREE_DISK_MB)) / 1_024)
  }

  quantities(): Quantity[] {
    return [...this.#sums.values()].filter(({ quantity }) => quantity > 0)
  }
}
