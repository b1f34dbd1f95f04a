import { describe, expect, it } from 'vitest'
import { collect, documentsOf, metadatasOf } from '../testing/context.ts'
import { htmlBlocks } from './html-blocks.ts'
import { htmlProcessor } from './html-processor.ts'

const paragraph = (topic: string) =>
  `<p>${`${topic} is carried by the river until the water stands still, and then it sinks. `.repeat(5)}</p>`
const page = (body: string, head = '') =>
  `<!doctype html><html lang="en"><head><title>Rivers</title>${head}</head><body>${body}</body></html>`

describe('web pages', () => {
  it('keep the article with all headings, and lose what surrounds it', async () => {
    const html = page(
      `<nav><a href="/">Home</a> <a href="/shop">Shop now</a></nav>
       <main><article><h1>Silt</h1>${paragraph('Silt')}<h2>Sand</h2>${paragraph('Sand')}<h3>Clay</h3>${paragraph('Clay')}</article></main>
       <footer>Imprint and cookies</footer><script>var track = 1</script>`,
    )
    const collected = await collect(htmlProcessor, html)
    expect(new Set(metadatasOf(collected).map(({ heading }) => heading))).toEqual(new Set(['Silt', 'Sand', 'Clay']))
    expect(documentsOf(collected).join(' ')).not.toMatch(/Shop now|cookies|track/)
    expect(collected.summary.metadata).toMatchObject({ title: 'Rivers', language: 'en' })
    expect(collected.records[0]?.metadata['language']).toBe('en')
  })

  it('are read from the body where there is no article, with the title as heading', async () => {
    const collected = await collect(htmlProcessor, page('<div>Open daily.</div><div>Call us.</div>'))
    expect(collected.records).toMatchObject([{ document: 'Open daily. Call us.', metadata: { heading: 'Rivers' } }])
  })

  it('are read as a whole when all of the body surrounds something', async () => {
    expect(documentsOf(await collect(htmlProcessor, page('<form><p>Name and address</p></form>')))).toEqual([
      'Name and address',
    ])
  })

  it('are decoded as they declare', async () => {
    const bytes = Uint8Array.from(page('<p>\xe4\xf6\xfc</p>', '<meta charset="iso-8859-1">'), (c) => c.charCodeAt(0))
    expect(documentsOf(await collect(htmlProcessor, bytes))).toEqual(['äöü'])
  })

  it('of frames have their title', async () => {
    const html =
      '<html><head><title>All about rivers</title></head><frameset cols="20,80"><frame src="a.html"><frame src="b.html"></frameset></html>'
    expect(documentsOf(await collect(htmlProcessor, html))).toEqual(['All about rivers'])
  })

  it('of any depth are read', async () => {
    const deep = page(`${'<div>'.repeat(50_000)}${paragraph('Mud')}${'</div>'.repeat(50_000)}`)
    expect(documentsOf(await collect(htmlProcessor, deep)).join(' ')).toContain('Mud is carried')
  })
})

describe('HTML blocks', () => {
  it('have rows of tables, items of lists, and no hidden text', () => {
    const { blocks } = htmlBlocks(
      `<table><tr><th>River<th>km<tr><td><p>Elbe</p><td>1094</table><ul><li>one<li>two <b>bold</b></ul>
       <p hidden>no</p><p style="display:none">no</p><p>a &amp; b<br>c <img alt="A map"></p>`,
    )
    expect(blocks.map(({ text }) => text)).toEqual(['River | km', 'Elbe | 1094', 'one', 'two bold', 'a & b c A map'])
  })
})
