import { expect, it } from 'vitest'
import { loadObjects } from './serve-objects.ts'

it('a queue of SQS is refused beside a directory', async () => {
  const refused = (more: object) => loadObjects({ data: './data', ...more })
  await expect(refused({ objectsQueue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q' })).rejects.toMatchObject({
    code: 'objects-queue',
    message: expect.stringContaining('names a queue of SQS') as string,
  })
})
