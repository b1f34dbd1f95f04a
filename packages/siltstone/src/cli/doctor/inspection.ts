/** What inspections of services on AWS are given by a command. */
import { environmentVariables } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'

export const inspectionServices = () => ({
  clock: systemClock,
  random: systemRandom,
  ids: systemIds(systemClock, systemRandom),
  log: silentLogger,
  metrics: noMetrics,
  variables: environmentVariables(),
})
