/** Starts the built application, keeps three notes and asks one question, as a browser would. */
import { spawn } from 'node:child_process'

const server = spawn('npx', ['next', 'start', '-H', '127.0.0.1', '-p', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
})
try {
  const url = await listening()
  const notes = [
    { id: 'bread', text: 'Bread needs flour, water, salt and time.' },
    { id: 'rivers', text: 'Rivers drop their sand and mud where they slow down.' },
    { id: 'tides', text: 'The moon pulls the sea into tides.' },
  ]
  const kept = await fetch(`${url}/api/notes`, { method: 'POST', body: JSON.stringify(notes) })
  console.log(kept.status, await kept.text())
  const page = await (await fetch(`${url}/?q=${encodeURIComponent('where does a stream leave its sediment?')}`)).text()
  for (const [, text] of page.matchAll(/<li>(.*?)<\/li>/g)) console.log('-', text)
} finally {
  // The whole group: npx starts another process.
  process.kill(-(server.pid as number), 'SIGTERM')
}

async function listening(): Promise<string> {
  let out = ''
  for await (const chunk of server.stdout) {
    out += String(chunk)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0]
    if (url !== undefined && out.includes('Ready')) return url
  }
  throw new Error(`next start ended: ${out}`)
}
