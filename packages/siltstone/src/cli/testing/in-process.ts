/**
 * The command line run within a test of another package: import it before anything else of this package, since it puts
 * mocks in the place of the process and the machine.
 */
import { vi } from 'vitest'
import { current } from './mocks.ts'
import { siltstone } from './run.ts'

vi.mock('../../host/process.ts', async () => (await import('./mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('./mocks.ts')).mockedMachine())

// Not `export … from`: vitest would load those modules before the mocks.
export { current, siltstone }
