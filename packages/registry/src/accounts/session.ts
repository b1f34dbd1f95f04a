/** Who a request is from. */
import type { Permission, StoreAccess, TokenDocument } from './account-documents.ts'

export interface Session {
  user: string
  isAdmin: boolean
  permissions: readonly Permission[]
  /** `operator`: a token of the server. `link`: a link that the registry signed. */
  kind: TokenDocument['kind'] | 'operator' | 'link'
  /** What the account opens there. */
  store: StoreAccess
}
