import { expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())
// A name that is certainly not installed, looked up in the same way as the real one.
vi.mock('../../host/optional-package.ts', async (importActual) => {
  const { importOptional } = await importActual<typeof import('../../host/optional-package.ts')>()
  return { importOptional: (name: string, purpose: string) => importOptional(`${name}-not-installed`, purpose) }
})

it('without the package, migrate is in the help', async () => {
  expect((await siltstone(['--help'])).out).toMatch(/^ {2}migrate .*Pinecone/m)
})

it.each([
  ['migrate'],
  ['migrate', '--help'],
  ['help', 'migrate'],
  ['migrate', 'chroma-dir', './chroma', '--data', './data'],
])('without the package, %s %s says what to install', async (...args) => {
  expect(await siltstone(args)).toEqual({
    code: 2,
    out: '',
    err: 'error: "siltstone migrate" needs the package @siltstone/migrate-not-installed: install it with `npm install @siltstone/migrate-not-installed`.\n',
  })
  const { error } = JSON.parse((await siltstone([...args, '--json'])).err) as { error: object }
  expect(error).toMatchObject({ kind: 'unsupported', code: 'package-missing', exitCode: 2 })
})

it.each([
  ['mcp', '"siltstone mcp"'],
  ['serve --mcp --port 0', '"siltstone serve --mcp"'],
])('without its package, %s says what to install', async (line, purpose) => {
  expect(await siltstone([...line.split(' '), '--data', './none'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining(`${purpose} needs the package @siltstone/mcp-not-installed`) as string,
  })
})
