/** For runtimes with a command line: the last argument is the origin. */
import { outcomeAt } from './outcome.ts'

const { argv } = (globalThis as unknown as { process: { argv: string[] } }).process
console.log(JSON.stringify(await outcomeAt(argv.at(-1) ?? '')))
