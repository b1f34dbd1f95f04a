export { siltstoneRoutes } from './routes/table.ts'
