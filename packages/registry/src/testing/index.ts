/** What `import … from '@siltstone/registry/testing'` gives: services of others as they answer, and what clients send, for suites and measurements. It is not published. */
export { type FakeAnswer, type FakeService, fakeService, githubRoutes } from './fake-services.ts'
export { fileOfRanges, inParts, type SentFile, type SentXorb, xorbOf } from './xet-client.ts'
