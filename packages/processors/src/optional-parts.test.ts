import { expect, it } from 'vitest'
import { optionalParts } from './optional-parts.ts'

it('optional parts are named with what does them, or with what to install', async () => {
  const parts = await optionalParts({ ffmpeg: false })
  expect(parts.slice(0, 2)).toEqual([
    { name: 'thumbnails of images', by: 'sharp' },
    { name: 'audio and video', reason: expect.stringContaining('install') },
  ])
  expect(await optionalParts({ ffmpeg: process.execPath })).toContainEqual({
    name: 'audio and video',
    by: process.execPath,
  })
  // In a clone, the model of the transcriber is there once it has been made.
  const [speech] = parts.slice(2)
  expect([speech?.by, speech?.reason].filter((one) => one !== undefined)).toHaveLength(1)
})
