/** What `import … from '@siltstone/registry/testing'` gives: services of others as they answer, for suites and measurements. It is not published. */
export { type FakeAnswer, type FakeService, fakeService, githubRoutes } from './fake-services.ts'
