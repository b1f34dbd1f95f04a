/** Installs the server, unless it is there. */
import { install } from '../../../test/aws/servers.ts'
import { SERVER } from './server.ts'

await install(SERVER)
