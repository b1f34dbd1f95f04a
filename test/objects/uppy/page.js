/** A page with Uppy, as `docs/how-to/objects.md` shows it; the tests use it by `window.uploads`. */
import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

const MIB = 1024 * 1024

const uppy = new Uppy()
uppy.use(AwsS3, {
  shouldUseMultipart: ({ size }) => (size ?? 0) > 5 * MIB,
  generateObjectKey: ({ name }) => `uploads/${name}`,
  // The server of the page signs: it knows who the user is, and what this user may upload.
  signRequest: async (request) => {
    const answer = await fetch('/sign', { method: 'POST', body: JSON.stringify(request) })
    if (!answer.ok) throw new Error(await answer.text())
    return answer.json()
  },
})

const namesOf = (files = []) => files.map(({ name }) => name ?? '')

globalThis.uploads = {
  add: (name, type, data) => void uppy.addFile({ name, type, data }),
  upload: async () => {
    const result = await uppy.upload()
    return { successful: namesOf(result?.successful), failed: namesOf(result?.failed) }
  },
  pauseAfterPart: (part) =>
    new Promise((resolve) => {
      uppy.on('s3-multipart:part-uploaded', (_file, { PartNumber }) => {
        if (PartNumber !== part) return
        uppy.pauseAll()
        resolve()
      })
    }),
  resume: () => uppy.resumeAll(),
}
