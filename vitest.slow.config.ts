import { defineConfig } from 'vitest/config'
import { allTests, slowTests } from './vitest.config.ts'

export default defineConfig({ test: { ...allTests, include: slowTests } })
