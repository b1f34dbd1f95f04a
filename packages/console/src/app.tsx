/** The frame around the views: where one is, and the token. */
import { useEffect, useState } from 'preact/hooks'
import { get, hasToken, ROOT, setToken, tokenNeeded } from './api.ts'
import { lazy } from './lazy.tsx'
import { Problem } from './parts.tsx'
import { hashOf, type Page, PAGES } from './route.ts'
import { about, isOffered, route, useLoaded } from './state.ts'
import type { About } from './types.ts'
import { CollectionView } from './views/collection.tsx'
import { DatabaseView } from './views/database.tsx'

const TITLES: Record<Page, string> = { server: 'Server', uploads: 'Uploads', artifacts: 'Artifacts', access: 'Access' }
const PAGE_VIEWS: Record<Page, ReturnType<typeof lazy>> = {
  server: lazy(async () => (await import('./views/server.tsx')).ServerView),
  uploads: lazy(async () => (await import('./views/uploads.tsx')).UploadsView),
  artifacts: lazy(async () => (await import('./views/artifacts.tsx')).ArtifactsView),
  access: lazy(async () => (await import('./views/access.tsx')).AccessView),
}

export function App() {
  const { page, tenant, database, collection } = route.value
  const loaded = useLoaded((signal) => get<About>(ROOT, signal), [])
  useEffect(() => {
    about.value = loaded.value
  }, [loaded.value])
  useEffect(() => {
    document.title = [page && TITLES[page], collection, database, 'Siltstone'].filter(Boolean).join(' · ')
  }, [page, collection, database])
  const PageView = page && PAGE_VIEWS[page]
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        {tokenNeeded.value ? <TokenForm /> : null}
        {loaded.problem === undefined || tokenNeeded.value ? null : <Problem text={loaded.problem} />}
        {about.value === undefined || tokenNeeded.value ? null : PageView !== undefined ? (
          <PageView key={page} />
        ) : collection !== undefined ? (
          <CollectionView key={`${tenant}/${database}/${collection}`} />
        ) : (
          <DatabaseView key={`${tenant}/${database}`} />
        )}
      </main>
    </>
  )
}

function skip(event: Event) {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Header() {
  const { page, tenant, database, collection } = route.value
  const server = about.value
  return (
    <header>
      <a class="brand" href="#/">
        <img src="icon.svg" alt="" width="26" height="26" /> Siltstone
      </a>
      <nav aria-label="Pages" class="pages">
        <a href="#/" aria-current={page === undefined ? 'page' : undefined}>
          Collections
        </a>
        {PAGES.filter(isOffered).map((one) => (
          <a key={one} href={hashOf({ page: one })} aria-current={page === one ? 'page' : undefined}>
            {TITLES[one]}
          </a>
        ))}
      </nav>
      <nav aria-label="Place" class="place">
        {tenant === undefined || database === undefined ? null : (
          <a href={hashOf({ tenant, database })}>
            <bdi>{tenant}</bdi> / <bdi>{database}</bdi>
          </a>
        )}
        {tenant === undefined || database === undefined || collection === undefined ? null : (
          <a href={hashOf({ tenant, database, collection, view: 'records' })}>
            <bdi>{collection}</bdi>
          </a>
        )}
      </nav>
      <div class="about">
        {server === undefined ? null : (
          <span>
            {server.user === null ? '' : `${server.user}, `}
            {server.readOnly ? 'read-only' : server.role} · {server.version}
          </span>
        )}
        {hasToken.value ? (
          <button type="button" class="quiet" onClick={() => setToken('')}>
            Forget token
          </button>
        ) : null}
        <a href="docs">API</a>
      </div>
    </header>
  )
}

function TokenForm() {
  const [text, setText] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    setToken(text)
  }
  return (
    <form class="card token" onSubmit={submit}>
      <h1>This server asks for a token</h1>
      <p>It stays in this tab, and is gone when the tab is closed.</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={text === ''}>
          Open
        </button>
      </div>
    </form>
  )
}
