/** For `node --import`: loads the mutant named by the environment. */
import { MUTANTS } from './mutants.ts'
import { loadMutant, MUTANT_VARIABLE } from './load-mutant.ts'

const name = process.env[MUTANT_VARIABLE]
const mutant = MUTANTS.find((one) => one.name === name)
if (!mutant) throw new Error(`there is no mutant ${JSON.stringify(name)}`)
loadMutant(mutant)
