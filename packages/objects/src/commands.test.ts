import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { siltstone } from 'siltstone/testing/cli'
import { expect, it } from 'vitest'

it('copy, list, show, move, sign and delete', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-objects-cli-'))
  const data = join(folder, 'data')
  const file = join(folder, 'talk.md')
  writeFileSync(file, '# Talk\n')
  const cli = async (...args: string[]) => {
    const { code, out, err } = await siltstone(['objects', ...args, '--data', data])
    return code === 0 ? out : `${code} ${err}`
  }
  expect(await cli('cp', file, 'siltstone://cli/up/')).toBe('up/talk.md 7\n')
  expect(await cli('ls', 'siltstone://cli/')).toMatch(/^ +up\/\n$/)
  expect(await cli('ls', 'siltstone://cli/', '-r')).toMatch(/7 up\/talk\.md\n$/)
  expect(await cli('stat', 'siltstone://cli/up/talk.md')).toContain('text/markdown')
  expect(await cli('cat', 'siltstone://cli/up/talk.md')).toBe('# Talk\n')
  expect(await cli('mv', 'siltstone://cli/up/talk.md', 'siltstone://cli/t.md')).toBe('t.md 7\n')
  await cli('cp', 'siltstone://cli/t.md', join(folder, 'back.md'))
  expect(readFileSync(join(folder, 'back.md'), 'utf8')).toBe('# Talk\n')
  expect(await cli('cp', 'siltstone://cli/t.md', 'siltstone://cli/t2.md', '--if-absent')).toBe('t2.md 7\n')
  expect(await cli('cp', 'siltstone://cli/t.md', 'siltstone://cli/t2.md', '--if-absent')).toMatch(/already/)
  expect(await cli('presign', 'siltstone://cli/t.md', '--put')).toMatch(/exact number of bytes/)
  const uri = 'siltstone://cli/t%C3%BC.md?version=1#t=12.4,19'
  expect(await cli('open', uri)).toMatch(/no access key to sign with/)
  mkdirSync(join(data, '.siltstone'), { recursive: true })
  const keys = [{ accessKeyId: 'TESTKEY1', secretAccessKey: 'a secret for the tests' }]
  writeFileSync(join(data, '.siltstone', 'objects-keys.json'), JSON.stringify(keys))
  expect(await cli('open', uri)).toMatch(/^http:\/\/127\.0\.0\.1:9000\/cli\/t%C3%BC\.md\?X-Amz-.*#t=12\.4,19\n$/)
  expect(await cli('open', 'siltstone://cli')).toMatch(/not the URI of a record/)
  expect(await cli('status')).toMatch(/cli\/t\.md\n.*cli\/t2\.md\n2 /)
  expect(await siltstone(['objects', 'status', '--data', join(folder, 'none')])).toMatchObject({ code: 3 })
  expect(await cli('rm', 'siltstone://cli/', '-r')).toBe('2 deleted\n')
  expect(await cli('rm', 'siltstone://cli/t.md')).toMatch(/no object/)
  expect(await cli('cp', 'siltstone://cli/none', folder)).toMatch(/no object/i)
  expect(await cli('ls', 'media')).toMatch(/siltstone:\/\/bucket\/key/)
  rmSync(folder, { recursive: true, force: true })
})
