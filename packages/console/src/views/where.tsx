/** A metadata filter as JSON, checked as it is typed. */
import { useEffect, useState } from 'preact/hooks'

export function WhereForm({ where, apply }: { where: string; apply: (text: string) => void }) {
  const [text, setText] = useState(where)
  useEffect(() => setText(where), [where])
  const problem = jsonProblem(text)
  const submit = (event: Event) => {
    event.preventDefault()
    if (problem === undefined) apply(text.trim())
  }
  return (
    <form class="row where" onSubmit={submit}>
      <label class="grow">
        Filter
        <input
          value={text}
          spellcheck={false}
          autocomplete="off"
          placeholder='{"year": {"$gte": 2024}}'
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : 'where-problem'}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={problem !== undefined}>
        Apply
      </button>
      {where === '' ? null : (
        <button type="button" class="quiet" onClick={() => apply('')}>
          Clear
        </button>
      )}
      {problem === undefined ? null : (
        <p id="where-problem" class="problem">
          {problem}
        </p>
      )}
    </form>
  )
}

export function jsonProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'Give a JSON object.'
  } catch (error) {
    return (error as Error).message
  }
}
