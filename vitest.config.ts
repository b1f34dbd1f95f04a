import { defineConfig } from 'vitest/config'

/**
 * Tests that take seconds each and rarely fail alone. `npm run test:slow` and CI run them; `npm test` leaves them out so that
 * it stays under three minutes.
 */
export const slowTests = [
  'test/docs/pages.test.ts',
  'packages/migrate/src/chroma/directory-faults.test.ts',
  'packages/objects/src/process/killed.test.ts',
  'packages/objects/src/work.test.ts',
  'packages/processors/src/isolation/isolated.test.ts',
  'packages/simulation/src/histories.test.ts',
  'packages/siltstone/src/cli/serve.test.ts',
  'packages/siltstone/src/cli/start.test.ts',
  'packages/siltstone/src/cost/operations.test.ts',
  'packages/siltstone/src/engine/search-large.test.ts',
  'packages/siltstone/src/engine/search-recall.test.ts',
]

/** All tests that need only Node. */
export const allTests = {
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
  pool: 'forks' as const,
  maxWorkers: 2,
}

export default defineConfig({ test: { ...allTests, exclude: [...allTests.exclude, ...slowTests] } })
