/**
 * A provider for the test engine that creates the registered resources with the calls that AWS's provider makes, so a
 * wrong name, policy, variable or mapping in the program is also wrong on the server.
 */
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { Provider } from '../../src/testing/index.ts'
import type { Clients } from '../clients.ts'
import { COMPUTE } from './compute.ts'
import { IDENTITY } from './identity.ts'
import { type Maker } from './inputs.ts'
import { MESSAGING } from './messaging.ts'
import { STORAGE } from './storage.ts'
import { WATCHING } from './watching.ts'

const MAKERS: Readonly<Record<string, Maker>> = { ...STORAGE, ...MESSAGING, ...IDENTITY, ...COMPUTE, ...WATCHING }

/** @throws Error for a type or data source that it does not know */
export function applyingProvider(clients: Clients, region: string): Provider {
  return {
    async create({ type, name, inputs }) {
      const maker = MAKERS[type]
      if (maker === undefined) throw new Error(`nothing in applied/provider/ makes ${type}`)
      return maker(inputs, clients, name)
    },
    async invoke(token) {
      if (token === 'aws:index/getRegion:getRegion') return { id: region, region, name: region }
      if (token !== 'aws:index/getCallerIdentity:getCallerIdentity') throw new Error(`nothing answers ${token}`)
      const { Account = '', Arn = '', UserId = '' } = await clients.sts.send(new GetCallerIdentityCommand({}))
      return { id: Account, accountId: Account, arn: Arn, userId: UserId }
    },
  }
}
