/** Installs the server unless it is already installed. */
import { install } from '@siltstone/emulated-aws'
import { SERVER } from './server.ts'

await install(SERVER)
