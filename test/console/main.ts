/** Uses the console as people do. Ends with `N passed, N failed`. */
import { testAccess } from './access.ts'
import { testCollections } from './collections.ts'
import { testServerPages } from './server-pages.ts'
import { outcome, world } from './suite.ts'
import { testViews } from './views.ts'

await testViews()
await testCollections()
await testServerPages()
await testAccess()
await world.close()
console.log(`${outcome.passed} passed, ${outcome.failed} failed`)
process.exitCode = outcome.failed === 0 && outcome.passed > 0 ? 0 : 1
