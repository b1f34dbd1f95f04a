import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/fuzz/*.test.ts',
      'test/docs/*.test.ts',
      'test/deploy/*.test.ts',
    ],
    exclude: ['**/node_modules/**', 'packages/infra/**', 'packages/functions/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
