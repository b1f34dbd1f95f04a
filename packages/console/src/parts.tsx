/** Small parts of views. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { BASE, hasToken } from './api.ts'
import { clip, valueText } from './format.ts'
import { type Call, LANGUAGES, type Language, snippet } from './snippets.ts'
import { sentenceOf } from './state.ts'

export function Problem({ text }: { text: string | undefined }) {
  return text === undefined ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )
}

/** Text of a record: never markup, and directions of writing do not leave it. */
export function Untrusted({ text, length }: { text: string; length?: number }) {
  return <bdi class="untrusted">{length === undefined ? text : clip(text, length)}</bdi>
}

export function Metadata({ value }: { value: Record<string, unknown> | null }) {
  if (value === null || Object.keys(value).length === 0) return null
  return (
    <dl class="metadata">
      {Object.entries(value).map(([key, item]) => (
        <div key={key}>
          <dt>
            <Untrusted text={key} length={60} />
          </dt>
          <dd>
            <Untrusted text={Array.isArray(item) ? item.map(valueText).join(', ') : valueText(item)} length={200} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The requests of a view, as code to copy. */
export function Code({ calls }: { calls: readonly Call[] }) {
  const [language, setLanguage] = useState<Language>('curl')
  const [copied, setCopied] = useState(false)
  const text = calls.map((call) => snippet(language, call, BASE, hasToken.value)).join('\n\n')
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <details class="code">
      <summary>As code</summary>
      <div class="row">
        {LANGUAGES.map((one) => (
          <button type="button" class="chip" key={one} aria-pressed={one === language} onClick={() => setLanguage(one)}>
            {one}
          </button>
        ))}
        <button type="button" class="quiet end" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <pre tabIndex={0} aria-label={`Code, ${language}`}>
        {text}
      </pre>
    </details>
  )
}

export interface Question {
  title: string
  text: string
  /** Text that must be typed first. */
  typed?: string
  /** A text to ask for; `answer` gets it. */
  field?: string
  action: string
  danger?: boolean
  answer(text: string): Promise<void>
}

/** A dialog that asks before something is changed. */
export function Ask({ question, close }: { question: Question; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  useEffect(() => dialog.current?.showModal(), [])
  const ready =
    question.typed === undefined ? question.field === undefined || text.trim() !== '' : text === question.typed
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await question.answer(text)
      close()
    } catch (error) {
      setProblem(sentenceOf(error))
      setBusy(false)
    }
  }
  const label = question.field ?? (question.typed === undefined ? undefined : `Type ${question.typed} to confirm`)
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="question">{question.title}</h2>
        <p>{question.text}</p>
        {label === undefined ? null : (
          <label>
            {label}
            <input value={text} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
          </label>
        )}
        <Problem text={problem} />
        <div class="row">
          <button type="submit" class={question.danger === true ? 'danger' : 'primary'} disabled={!ready || busy}>
            {question.action}
          </button>
          <button type="button" class="quiet" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  )
}

interface SelectProps {
  value: string
  names: readonly string[]
  /** What stands for the empty value, which chooses none of the names. */
  none?: string
  choose: (value: string) => void
}

/** One of some names. */
export function Select({ value, names, none, choose }: SelectProps) {
  return (
    <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
      {none !== undefined && <option value="">{none}</option>}
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

export function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="figure">
      <span>{name}</span>
      <strong>{children}</strong>
    </div>
  )
}
