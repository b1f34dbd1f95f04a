import { openNotes } from '../lib/notes'
import { addNote } from './actions'

interface Props {
  searchParams: Promise<{ q?: string | string[] }>
}

export default async function Page({ searchParams }: Props) {
  const { q } = await searchParams
  const question = typeof q === 'string' ? q : ''
  return (
    <main>
      <form role="search">
        <input type="search" name="q" defaultValue={question} aria-label="Question" />
        <button type="submit">Search</button>
      </form>
      {question !== '' && <Answers question={question} />}
      <form action={addNote}>
        <input name="text" aria-label="Note" required />
        <button type="submit">Add</button>
      </form>
    </main>
  )
}

async function Answers({ question }: { question: string }) {
  const notes = await openNotes()
  const [rows = []] = (await notes.query({ queryTexts: [question], nResults: 3 })).rows()
  return (
    <ol>
      {rows.map(({ id, document }) => (
        <li key={id}>{document}</li>
      ))}
    </ol>
  )
}
