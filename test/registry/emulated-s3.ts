/** Runs the suite with the registry in a bucket of an emulated S3: that of pytest, or with `--scenario` first, the other one. Other arguments go to it. */
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
  const [first, ...rest] = process.argv.slice(2)
  const [program, script, more] =
    first === '--scenario' ? [process.execPath, 'scenario/main.ts', rest] : ['bash', 'run.sh', process.argv.slice(2)]
  const args = [join(import.meta.dirname, script), '--place', place, ...more]
  process.exitCode = spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1
} finally {
  await server.stop()
}
