/** Who may do what: this token, the other tokens, and the operations of each role. */
import { useState } from 'preact/hooks'
import { get, ROOT } from '../api.ts'
import { newToken, type TokenEntry } from '../new-token.ts'
import { Code, Problem, Select, Untrusted } from '../parts.tsx'
import { about, isAdmin, seesWholeServer, sentenceOf, useLoaded } from '../state.ts'

const ROLES = ['read', 'write', 'admin'] as const
type Role = (typeof ROLES)[number]

const ROLE_TEXT: Record<Role, string> = {
  read: 'sees collections, records, versions and figures',
  write: 'also writes records, makes and deletes collections, rolls back',
  admin: 'also makes tenants and databases, compacts, verifies, resets',
}

interface TokenInfo {
  user: string
  role: Role
  tenants: string[] | null
  databases: string[] | null
}

export function AccessView() {
  const server = about.value
  const mayList = isAdmin() && seesWholeServer()
  return (
    <>
      <div class="row head">
        <h1>Access</h1>
      </div>
      <section class="card" aria-label="This tab">
        <h2>This tab</h2>
        {server === undefined ? null : server.authentication ? (
          <p>
            <strong>
              <Untrusted text={server.user ?? ''} />
            </strong>{' '}
            with the role <strong>{server.role}</strong>, in <Names names={server.tenants} what="tenants" /> and{' '}
            <Names names={server.databases} what="databases" />
            {server.readOnly ? '. The server is read-only.' : '.'}
          </p>
        ) : (
          <p>
            This server asks for no token: whoever reaches its address may {server.readOnly ? 'read' : 'do'} everything.
            Start it with <code>--tokens FILE</code> before others can reach it.
          </p>
        )}
      </section>
      {server?.authentication === true && mayList ? <Tokens /> : null}
      {server?.authentication === true && !mayList ? (
        <p class="note">The tokens of a server are listed for admins of all tenants and databases.</p>
      ) : null}
      <NewToken />
      <Roles />
      <Code
        calls={[
          { method: 'GET', path: ROOT },
          ...(mayList ? [{ method: 'GET', path: `${ROOT}/tokens` }] : []),
          { method: 'GET', path: '/openapi.json' },
        ]}
      />
    </>
  )
}

function Names({ names, what }: { names: readonly string[] | null; what: string }) {
  if (names === null) return <>all {what}</>
  return (
    <>
      the {what} <Untrusted text={names.join(', ')} length={300} />
    </>
  )
}

function Tokens() {
  const { value, problem } = useLoaded((signal) => get<TokenInfo[]>(`${ROOT}/tokens`, signal), [])
  return (
    <>
      <h2>Tokens</h2>
      <Problem text={problem} />
      {value === undefined ? null : (
        <div class="scroll" role="region" aria-label="Tokens" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th class="number">Entry</th>
                <th>User</th>
                <th>Role</th>
                <th>Tenants</th>
                <th>Databases</th>
              </tr>
            </thead>
            <tbody>
              {value.map(({ user, role, tenants, databases }, i) => (
                // Entries have no other name than their place.
                // oxlint-disable-next-line react/no-array-index-key
                <tr key={i}>
                  <td class="number">{i + 1}</td>
                  <td>
                    <Untrusted text={user} />
                  </td>
                  <td>{role}</td>
                  <td>
                    <Untrusted text={tenants?.join(', ') ?? 'all'} length={200} />
                  </td>
                  <td>
                    <Untrusted text={databases?.join(', ') ?? 'all'} length={200} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

/** Makes a token in this page; the server does not learn it. */
function NewToken() {
  const [user, setUser] = useState('')
  const [role, setRole] = useState<Role>('read')
  const [tenants, setTenants] = useState('')
  const [made, setMade] = useState<{ token: string; entry: TokenEntry }>()
  const [problem, setProblem] = useState<string>()
  const submit = async (event: Event) => {
    event.preventDefault()
    try {
      setMade(await newToken({ user: user.trim(), role, tenants }))
      setProblem(undefined)
    } catch (error) {
      setProblem(sentenceOf(error))
    }
  }
  return (
    <section class="card" aria-label="New token">
      <h2>New token</h2>
      <p class="note">
        It is made in this page and not sent anywhere. Add the entry to the file of <code>--tokens</code>, which keeps
        only a digest, and start the server again.
      </p>
      <form class="row where" onSubmit={(event) => void submit(event)}>
        <label class="grow">
          User
          <input value={user} autocomplete="off" onInput={(event) => setUser(event.currentTarget.value)} />
        </label>
        <label>
          Role
          <br />
          <Select value={role} names={ROLES} choose={(chosen) => setRole(chosen as Role)} />
        </label>
        <label class="grow">
          Tenants, with commas; empty: all
          <input value={tenants} autocomplete="off" onInput={(event) => setTenants(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={user.trim() === ''}>
          Make
        </button>
      </form>
      <Problem text={problem} />
      {made === undefined ? null : (
        <div role="status">
          <h3>The token: it is shown once</h3>
          <pre tabIndex={0} aria-label="Token">
            {made.token}
          </pre>
          <h3>The entry</h3>
          <pre tabIndex={0} aria-label="Entry">
            {JSON.stringify(made.entry)}
          </pre>
        </div>
      )}
    </section>
  )
}

interface Document {
  paths: Record<string, Record<string, { summary: string; operationId: string } & Record<string, unknown>>>
}

interface Operation {
  method: string
  path: string
  summary: string
  access: string
  allTenants: boolean
}

function Roles() {
  const { value, problem } = useLoaded(async (signal) => operationsOf(await get<Document>('/openapi.json', signal)), [])
  return (
    <>
      <h2>Roles</h2>
      <Problem text={problem} />
      {ROLES.map((role) => (
        <details class="card role" key={role}>
          <summary>
            <strong>{role}</strong> {ROLE_TEXT[role]}
          </summary>
          <ul class="points">
            {value
              ?.filter(({ access }) => access === role)
              .map(({ method, path, summary, allTenants }) => (
                <li key={method + path}>
                  <code>
                    {method} {path}
                  </code>
                  <div class="note">
                    {summary}
                    {allTenants ? ' (all tenants)' : ''}
                  </div>
                </li>
              ))}
          </ul>
        </details>
      ))}
    </>
  )
}

function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, ...operation }]) => ({
      method: method.toUpperCase(),
      path,
      summary,
      access: String(operation['x-siltstone-access']),
      allTenants: operation['x-siltstone-all-tenants'] === true,
    })),
  )
}
