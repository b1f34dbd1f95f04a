/** Lets property tests draw the same examples for every mutant. */
import fc from 'fast-check'

fc.configureGlobal({ seed: 20_261_128 })
