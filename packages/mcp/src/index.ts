export { createServer } from './server.ts'
export { type HttpHandler, httpHandler, serveStandardStreams } from './serve.ts'
export type { Scope } from './scope.ts'
