/** Who a request is from. */
import type { Permission, StoreAccess, TokenDocument } from './account-documents.ts'

export interface Session {
  user: string
  isAdmin: boolean
  permissions: readonly Permission[]
  /** `operator`: a token of the server. */
  kind: TokenDocument['kind'] | 'operator'
  /** What the account opens there. */
  store: StoreAccess
}
