/**
 * Leases in a DynamoDB table: one item per lease, changed only by conditional updates of that item.
 *
 * The conditions compare with the caller's wall clock, since DynamoDB offers none. Machines whose clocks disagree take a
 * lease early or late by the difference, which costs work, never safety: that comes from the compare-and-swap of the
 * pointer. Items are never deleted and the table has no time to live, because the fencing number must not start again.
 *
 * An update whose answer was lost is sent again, and each kind finds out whether it was applied before:
 *
 * | call       | applied, and repeated                                                             |
 * |------------|-----------------------------------------------------------------------------------|
 * | acquire    | refused, and the item names this owner: acquired, under the number in the item    |
 * | heartbeat  | the same times once more                                                          |
 * | release    | refused, and the item is free under our number: released                          |
 * | mark dirty | marked once more; `false` if it was released in between                           |
 * | force      | free already                                                                      |
 */
import {
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type ScanCommandOutput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../ports/clock.ts'
import type { AcquireResult, Leases, LeaseState } from '../../ports/lease.ts'
import { flag, type Item, KEY_ATTRIBUTE, keyOf, LOCK_PREFIX, number, stateOfItem, text } from './dynamodb-item.ts'
import { codeOf } from './failure.ts'
import type { Requests } from './aws-requests.ts'

const OWNED = '#owner = :owner AND fencing = :fencing'
const TAKE = 'SET #owner = :owner, expiresAtMs = :expires, heartbeatAtMs = :now, dirty = :no'
const FREE = 'REMOVE #owner SET expiresAtMs = :zero, dirty = :no'

type Update = Pick<UpdateItemCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ReturnValues'> & {
  values: Item
}

type Updated =
  | { status: 'ok'; item: Item }
  /** The condition failed; the current item. */
  | { status: 'refused'; state: LeaseState | undefined; mayHaveBeenOurs: boolean }

export interface DynamoDbLeasesOptions {
  client: DynamoDBClient
  requests: Requests
  clock: Clock
}

export class DynamoDbLeases implements Leases {
  readonly #table: string
  readonly #client: DynamoDBClient
  readonly #requests: Requests
  readonly #clock: Clock

  constructor(table: string, { client, requests, clock }: DynamoDbLeasesOptions) {
    this.#table = table
    this.#client = client
    this.#requests = requests
    this.#clock = clock
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    for (;;) {
      const nowMs = this.#clock.nowMs()
      const values = { ':owner': text(owner), ...this.#times(nowMs, ttlMs), ':no': flag(false) }
      const taken = await this.#update(name, {
        UpdateExpression: `${TAKE}, fencing = if_not_exists(fencing, :zero) + :one`,
        ConditionExpression: 'attribute_not_exists(#owner) OR (#owner <> :owner AND expiresAtMs < :now)',
        ReturnValues: 'ALL_NEW',
        values: { ...values, ':zero': number(0), ':one': number(1) },
      })
      if (taken.status === 'ok') return { status: 'acquired', fencing: stateOfItem(taken.item).fencing }
      const { state } = taken
      // It was released in the meantime.
      if (state?.owner === undefined) continue
      if (state.owner !== owner) return { status: 'busy', state }
      // This owner holds it already, or by an attempt whose answer was lost.
      const kept = await this.#update(name, {
        UpdateExpression: TAKE,
        ConditionExpression: OWNED,
        values: { ...values, ':fencing': number(state.fencing) },
      })
      if (kept.status === 'ok') return { status: 'acquired', fencing: state.fencing }
    }
  }

  async heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    const { status } = await this.#update(name, {
      UpdateExpression: 'SET expiresAtMs = :expires, heartbeatAtMs = :now',
      ConditionExpression: OWNED,
      values: { ...owned(owner, fencing), ...this.#times(this.#clock.nowMs(), ttlMs) },
    })
    return status === 'ok'
  }

  async release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'> {
    for (;;) {
      const values = { ...owned(owner, fencing), ':no': flag(false) }
      const freed = await this.#update(name, {
        UpdateExpression: FREE,
        ConditionExpression: `${OWNED} AND dirty = :no`,
        values: { ...values, ':zero': number(0) },
      })
      if (freed.status === 'ok') return 'released'
      const { state, mayHaveBeenOurs } = freed
      if (mayHaveBeenOurs && state?.owner === undefined && state?.fencing === fencing) return 'released'
      if (state?.owner !== owner || state.fencing !== fencing) return 'lost'
      const cleared = await this.#update(name, {
        UpdateExpression: 'SET dirty = :no',
        ConditionExpression: OWNED,
        values,
      })
      if (cleared.status === 'ok') return 'dirty'
    }
  }

  async markDirty(name: string): Promise<boolean> {
    const { status } = await this.#update(name, {
      UpdateExpression: 'SET dirty = :yes',
      ConditionExpression: 'attribute_exists(#owner) AND expiresAtMs >= :now',
      values: { ':yes': flag(true), ':now': number(this.#clock.nowMs()) },
    })
    return status === 'ok'
  }

  async inspect(name: string): Promise<LeaseState | undefined> {
    const input = { TableName: this.#table, Key: keyOf(name), ConsistentRead: true }
    const { Item: item } = await this.#requests.call({ doing: `read the lease ${this.#title(name)}` }, ({ signal }) =>
      this.#client.send(new GetItemCommand(input), { abortSignal: signal }),
    )
    return item && stateOfItem(item)
  }

  /** Reads the whole table, for operators. */
  async list(): Promise<LeaseState[]> {
    const found: LeaseState[] = []
    let start: Item | undefined
    do {
      const input = {
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: 'begins_with(#key, :prefix)',
        ExpressionAttributeNames: { '#key': KEY_ATTRIBUTE },
        ExpressionAttributeValues: { ':prefix': text(LOCK_PREFIX) },
        ...(start !== undefined && { ExclusiveStartKey: start }),
      }
      const page: ScanCommandOutput = await this.#requests.call(
        { doing: `list the leases in the table ${this.#table}` },
        ({ signal }) => this.#client.send(new ScanCommand(input), { abortSignal: signal }),
      )
      found.push(...(page.Items ?? []).map(stateOfItem))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async force(name: string): Promise<LeaseState | undefined> {
    // Read first, because the answer to the change may be lost.
    const was = await this.inspect(name)
    if (was === undefined) return undefined
    await this.#update(name, {
      UpdateExpression: FREE,
      ConditionExpression: 'attribute_exists(#key)',
      values: { ':zero': number(0), ':no': flag(false) },
    })
    return was
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  async #update(name: string, { values, ...update }: Update): Promise<Updated> {
    const { UpdateExpression = '', ConditionExpression = '' } = update
    const names = { '#owner': 'owner', '#key': KEY_ATTRIBUTE }
    const used = `${UpdateExpression} ${ConditionExpression}`
    const input: UpdateItemCommandInput = {
      TableName: this.#table,
      Key: keyOf(name),
      ...update,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ExpressionAttributeNames: Object.fromEntries(Object.entries(names).filter(([each]) => used.includes(each))),
      ExpressionAttributeValues: values,
    }
    let mayHaveBeenOurs = false
    let isTold = true
    const calling = {
      doing: `change the lease ${this.#title(name)}`,
      changes: true,
      onOpen: () => {
        mayHaveBeenOurs = true
      },
    }
    const result = await this.#requests.call(calling, async ({ signal }): Promise<Updated> => {
      try {
        const answer = await this.#client.send(new UpdateItemCommand(input), { abortSignal: signal })
        return { status: 'ok', item: answer.Attributes ?? {} }
      } catch (error) {
        if (codeOf(error) !== 'ConditionalCheckFailedException') throw error
        const { Item: item } = error as { Item?: Item }
        isTold = item !== undefined
        return { status: 'refused', state: item && stateOfItem(item), mayHaveBeenOurs }
      }
    })
    // There is no item, or the server does not return it with its refusal.
    return isTold || result.status === 'ok' ? result : { ...result, state: await this.inspect(name) }
  }

  #times(nowMs: number, ttlMs: number): Item {
    return { ':now': number(nowMs), ':expires': number(nowMs + Math.ceil(ttlMs)) }
  }

  #title(name: string): string {
    return `${name} in the table ${this.#table}`
  }
}

function owned(owner: string, fencing: number): Item {
  return { ':owner': text(owner), ':fencing': number(fencing) }
}
