/** The program `siltstone`. `siltstone.cjs` starts it, after a look at the version of Node. */
import { commandLineArguments, setExitCode } from '../host/process.ts'
import { run } from './run.ts'

const code = await run(commandLineArguments())
if (code !== undefined) setExitCode(code)
