export * from './app.ts'
export * from './openapi.ts'
export * from './options.ts'
export { routes } from './routes/table.ts'
