/** Installs the server, unless it is there. */
import { install } from '../../../test/aws/servers.ts'
import { SERVER } from './account.ts'

await install(SERVER)
