import { expect, it } from 'vitest'
import { confirmDeletion } from './collections.ts'

it('a deletion is confirmed by the name at a terminal, and by --yes elsewhere', async () => {
  const questions: string[] = []
  const answering = (answer: string | undefined) => async (question: string) => {
    questions.push(question)
    return answer
  }
  await confirmDeletion('notes', answering(' notes '))
  expect(questions).toEqual(['This deletes notes and all its records permanently. Type its name to confirm: '])
  await expect(confirmDeletion('notes', answering('y'))).rejects.toThrow('nothing was deleted: that is not "notes"')
  await expect(confirmDeletion('notes', answering(undefined))).rejects.toThrow('confirm with --yes')
})
