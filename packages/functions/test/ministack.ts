/** Starts the emulator of AWS that the tests use. */
import { CREDENTIALS, definitions, install, start } from '@siltstone/emulated-aws'

export default async function setup(): Promise<() => Promise<void>> {
  const [definition] = definitions
  if (definition === undefined) throw new Error('there is no server to start')
  await install(definition)
  const server = await start(definition)
  Object.assign(process.env, CREDENTIALS, {
    SILTSTONE_TEST_TARGETS: JSON.stringify([{ name: server.name, endpoint: server.endpoint }]),
  })
  return () => server.stop()
}
