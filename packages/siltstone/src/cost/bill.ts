/** Computes a bill: quantities times prices. */
import { PRICES, type PriceItem, type PriceList, type Service } from './prices.ts'
import type { Activity, Quantity } from './use.ts'

export interface BillLine {
  service: Service
  what: string
  quantity: number
  /** Cost of the quantity, without the part that the free tier covers. */
  usd: number
}

export interface Bill {
  lines: BillLine[]
  services: Record<string, number>
  activities: Record<Activity, number>
  totalUsd: number
}

export interface BillOptions {
  prices?: PriceList
  /** Subtract AWS's monthly free tier, as far as it does not expire. */
  freeTier?: boolean
}

export function billOf(quantities: readonly Quantity[], options: BillOptions = {}): Bill {
  const { prices = PRICES, freeTier = false } = options
  const totals = new Map<PriceItem, number>()
  for (const { item, quantity } of quantities) totals.set(item, (totals.get(item) ?? 0) + quantity)
  const bill: Bill = {
    lines: [],
    services: {},
    activities: { writes: 0, 'cold queries': 0, 'warm queries': 0, objects: 0, storage: 0, fixed: 0 },
    totalUsd: 0,
  }
  for (const [item, quantity] of totals) {
    const { service, what } = prices[item]
    const usd = usdOf(prices, item, quantity, freeTier)
    bill.lines.push({ service, what, quantity, usd })
    bill.services[service] = (bill.services[service] ?? 0) + usd
    bill.totalUsd += usd
  }
  // The free tier is distributed over the activities in proportion to their quantities.
  for (const { item, activity, quantity } of quantities) {
    const total = totals.get(item) as number
    bill.activities[activity] += usdOf(prices, item, total, freeTier) * (quantity / total)
  }
  return bill
}

function usdOf(prices: PriceList, item: PriceItem, quantity: number, freeTier: boolean): number {
  const { usd, per, freeAMonth = 0 } = prices[item]
  return (Math.max(0, quantity - (freeTier ? freeAMonth : 0)) * usd) / per
}
