/** `siltstone publish --watch` as a process: it publishes what changed, and ends when it is told to. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/siltstone/src/cli/main.ts', import.meta.url))
const LOOKS = 1_200
const LOOK_EVERY_MS = 50

export async function testWatch(test: (name: string, run: () => Promise<void>) => Promise<void>): Promise<void> {
  await test('publish --watch: publishes a page that was added, and ends at SIGINT without an error', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'siltstone-watch-'))
    const site = join(directory, 'site')
    const page = (name: string, text: string) =>
      writeFile(join(site, name), `<!doctype html><title>${name}</title><main><h1>${name}</h1><p>${text}</p></main>`)
    await mkdir(site)
    await page('index.html', 'Sediment settles where the water slows down.')
    const child = spawn(process.execPath, [MAIN, 'publish', '--site', site, '--watch'])
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)))
    const ended = once(child, 'exit')
    const description = () => readFile(join(site, 'search/search.json'), 'utf8').catch(() => '')
    const changedFrom = async (before: string) => {
      for (let look = 0; look < LOOKS; look++) {
        const now = await description()
        if (now !== before) return now
        await sleep(LOOK_EVERY_MS)
      }
      throw new Error(`nothing was published: ${errors}`)
    }
    try {
      const first = await changedFrom('')
      await page('more.html', 'Bread needs flour and eggs.')
      await changedFrom(first)
      child.kill('SIGINT')
      assert.deepEqual(await ended, [0, null])
      assert.equal(errors, '')
    } finally {
      child.kill('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    }
  })
}
