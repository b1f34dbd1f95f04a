/**
 * `POST /mcp`: the Model Context Protocol over HTTP, without sessions. `@siltstone/mcp` has the protocol; this module finds
 * the package, and decides what a request may see.
 *
 * Foreign pages are refused before a request gets here (`chroma/browser-guard.ts`): `Origin` and `Host` are checked. The
 * token decides as for every other request: role `read` gets the tools that read. The query parameters `tenant` and
 * `database` choose the database, and default to those of the token.
 */
import type { Context } from 'hono'
import { authorize } from '../chroma/access.ts'
import type { ChromaOptions, Identity } from '../chroma/options.ts'
import type { Embedder } from '../embed/port.ts'
import { notFound, unsupported } from '../errors.ts'
import { importOptional } from '../host/optional-package.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Maintenance } from '../model/maintenance.ts'
import type { Engine } from '../model/store.ts'

/** What one client may see: a database of one tenant, or some of its collections. */
export interface McpScope {
  engine: Engine
  /** Without it, `forget` keeps no restore point. */
  maintenance?: Maintenance | undefined
  embedderFor(info: CollectionInfo): Promise<Embedder>
  tenant: string
  database: string
  /** Only these collections. Default: all of the database. */
  collections?: readonly string[] | undefined
  /** False: only the tools that read are there. */
  canWrite: boolean
  /** `remember` may create a collection. */
  allowCreate: boolean
  /** Stands before the names of the tools: `notes_` makes `notes_search`. */
  toolPrefix?: string | undefined
  nowMs: () => number
  /** Reports faults of the server; the client gets a sentence without details. */
  onError(error: unknown): void
}

/** The part of `@siltstone/mcp` that is used. */
export interface McpPackage {
  serveStandardStreams(scope: McpScope, signal?: AbortSignal): Promise<void>
  httpHandler(onError: (error: unknown) => void): (request: Request, scope: McpScope) => Promise<Response>
}

/** @throws SiltstoneError `unsupported` (package-missing, package-broken) */
export async function loadMcp(purpose: string): Promise<McpPackage> {
  return (await importOptional('@siltstone/mcp', purpose)) as McpPackage
}

/** @throws SiltstoneError `not-found` (no-mcp) */
export function noMcp(): never {
  throw notFound('no-mcp', 'This server has no Model Context Protocol: start it with "siltstone serve --mcp"')
}

/** @returns the handler of `/mcp`, for every method: the protocol answers those that it has no use for */
export function mcpRoute(mcp: McpPackage, options: ChromaOptions): (c: Context) => Promise<Response> {
  const onError = (error: unknown) => options.log.warn('mcp_request_failed', { error })
  const handle = mcp.httpHandler(onError)
  return async (c) => {
    const asked = { tenant: c.req.query('tenant'), database: c.req.query('database') }
    const header = (name: string) => c.req.header(name)
    const identity = await authorize({ access: 'read' }, options, header, (name) => asked[name as 'tenant'])
    const { embedderFor } = options
    const tenant = asked.tenant ?? only(identity?.tenants, 'default_tenant')
    const database = asked.database ?? only(identity?.databases, 'default_database')
    return handle(c.req.raw, {
      engine: options.engine,
      maintenance: options.maintenance,
      embedderFor: async (info) => {
        if (embedderFor !== undefined) return embedderFor(info)
        throw unsupported('no-embedder', 'This server has no embedders, so it cannot search by text')
      },
      tenant,
      database,
      canWrite: options.readOnly !== true && identity?.role !== 'read',
      allowCreate: true,
      nowMs: () => options.clock.nowMs(),
      onError: (error) => options.log.error('mcp_failed', { error }),
    })
  }
}

/** The default where it is allowed, else the first of the names. */
function only(names: Identity['tenants'] | undefined, standard: string): string {
  if (names === undefined || names === '*' || names.includes(standard)) return standard
  return names[0] ?? standard
}
