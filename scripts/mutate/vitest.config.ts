import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { allTests } from '../../vitest.config.ts'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { ...allTests, setupFiles: ['scripts/mutate/seeded.ts'], maxWorkers: 1 },
})
