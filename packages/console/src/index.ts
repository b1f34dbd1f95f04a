export { type ConsoleFile, consoleFiles } from './files.ts'
