/** One endpoint, as the router, the OpenAPI document and its tests see it. */
import type { Permission } from '../accounts/account-documents.ts'
import type { Session } from '../accounts/session.ts'

export interface Call {
  request: Request
  url: URL
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  /** The part of the path before the app's own: empty or `/hub`. */
  base: string
  /** Of the peer of the connection. */
  address: string
}

export interface SignedInCall extends Call {
  session: Session
}

interface Named {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** `/artifact/{type}/{id}`; a last `{name...}` takes the rest of the path, slashes included. */
  path: string
  operation: string
}

export type Route =
  | (Named & { access: 'public'; handle: (call: Call) => Promise<Response> })
  /** `any`: every user who is signed in. */
  | (Named & {
      access: Permission | 'any'
      handle: (call: SignedInCall) => Promise<Response>
      /** Of a request whose link says who it is from; undefined: its token does. */
      session?: (call: Call) => Promise<Session | undefined>
    })
