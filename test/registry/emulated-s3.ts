/** Runs the suite with the registry in a bucket of an emulated S3. Arguments go to pytest. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { CREDENTIALS, definitions, freshName, install, start } from '@siltstone/emulated-aws'

const [definition] = definitions
if (definition === undefined) throw new Error('there is no server of S3 to start')
await install(definition)
const server = await start(definition)
try {
  const place = `s3://${freshName('registry')}?endpoint=${server.endpoint}`
  const env = { ...process.env, ...CREDENTIALS, CREATE_BUCKET: '1' }
  const args = [join(import.meta.dirname, 'run.sh'), '--place', place, ...process.argv.slice(2)]
  process.exitCode = spawnSync('bash', args, { stdio: 'inherit', env }).status ?? 1
} finally {
  await server.stop()
}
