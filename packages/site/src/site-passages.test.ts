import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePage } from './html-page.ts'
import { htmlText, languageOfSite } from './page-text.ts'
import { passagesOfSite } from './site-passages.ts'

const one = (html: string) => passagesOfSite([{ path: 'guide/index.html', html }])

describe('a site', () => {
  it('is a passage per heading, with its address', () => {
    const found = one(`<!doctype html><html><head><title>Guide — Site</title></head><body><nav>Home About</nav>
      <main><h1>Guide</h1><p>It begins <b>here</b>.</p><h2 id="silt">Silt<a class="anchor" href="#silt">#</a></h2>
      <p>Sediment settles.</p><ul><li>slowly<li>in water</ul><script>x()</script>
      <section id="rock"><h3>Rock &amp; stone</h3>Pressed.</section></main><footer>Imprint</footer></body></html>`)
    expect(found).toEqual([
      {
        id: '/guide/',
        document: 'Guide: It begins here.',
        metadata: { url: '/guide/', page: '/guide/', title: 'Guide' },
      },
      {
        id: '/guide/#silt',
        document: 'Silt: Sediment settles. slowly in water',
        metadata: { url: '/guide/#silt', page: '/guide/', title: 'Guide › Silt' },
      },
      {
        id: '/guide/#rock',
        document: 'Rock & stone: Pressed.',
        metadata: { url: '/guide/#rock', page: '/guide/', title: 'Guide › Rock & stone' },
      },
    ])
  })

  it('has addresses below its base, with characters as addresses have them', () => {
    const html = '<body>text of a page</body>'
    const urls = (path: string, base?: string) => passagesOfSite([{ path, html }], base).map(({ id }) => id)
    expect(urls('index.html')).toEqual(['/'])
    expect(urls('a b/größe.html', '/docs')).toEqual(['/docs/a%20b/gr%C3%B6%C3%9Fe.html'])
    expect(urls('x.html', '/my docs/é')).toEqual(['/my%20docs/%C3%A9/x.html'])
    expect(urls('x.html', '/my%20docs/')).toEqual(['/my%20docs/x.html'])
    expect(urls('myindex.html')).toEqual(['/myindex.html'])
  })

  it('leaves out pages that ask for it, and calls pages by their own heading', () => {
    const robots = '<meta name="Robots" content="noindex, follow">'
    expect(one(`<head>${robots}</head><main>printed</main>`)).toEqual([])
    const page = parsePage('<title>Page - Site</title><h1>Site</h1><main>text</main>')
    expect(page.title).toBe('Page - Site')
    expect(parsePage('<title>Page - Site</title><h1>Site</h1><main><h1>Page</h1></main>').title).toBe('Page')
  })

  it('calls a section of a page without a title by its heading', () => {
    expect(one('<main><h2 id=a>Part</h2>text')[0]?.metadata['title']).toBe('Part')
  })

  it('gives long sections several passages, of different ids and one address', () => {
    const found = one(
      `<main><h2 id="a">Long</h2>${'<p>A sentence that is long enough to count for something.</p>'.repeat(40)}</main>`,
    )
    expect(found.length).toBeGreaterThan(3)
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
    expect(new Set(found.map(({ metadata }) => metadata['url']))).toEqual(new Set(['/guide/#a']))
  })
})

describe('attributes of Pagefind', () => {
  it('limit what is found, on the page and of the site', () => {
    const pages = [
      {
        path: 'a.html',
        html: '<body>around<div data-pagefind-body>in <p data-pagefind-ignore>not this</p>side</div></body>',
      },
      { path: 'b.html', html: '<main>another page</main>' },
    ]
    expect(passagesOfSite(pages).map(({ document }) => document)).toEqual(['in side'])
    expect(passagesOfSite(pages.slice(1)).map(({ document }) => document)).toEqual(['another page'])
  })

  it('give metadata and filters, in each of their forms', () => {
    const page = parsePage(`<head><meta data-pagefind-filter="kind[content]" content="guide"></head>
      <main><h1 data-pagefind-meta="title">Real title</h1><img src="/x.png" alt="A river" data-pagefind-meta="image[src], image_alt[alt]"
      data-pagefind-index-attrs="alt"><span data-pagefind-filter="author">Ann</span><i data-pagefind-filter="author">Bob</i>
      <p data-pagefind-meta="read: 3:30, or so" data-pagefind-filter="__proto__:x">text</p>
      <div data-pagefind-ignore="all"><b data-pagefind-filter="author">Eve</b></div></main>`)
    expect(page.title).toBe('Real title')
    expect(page.meta).toEqual({
      title: ['Real title'],
      image: ['/x.png'],
      image_alt: ['A river'],
      read: ['3:30, or so'],
    })
    expect(page.filters['kind']).toEqual(['guide'])
    expect(page.filters['author']).toEqual(['Ann', 'Bob'])
    expect(page.sections[0]?.paragraphs.join(' ')).toContain('A river')
    expect(one(`<main data-pagefind-filter="topic:silt">some text</main>`)[0]?.metadata).toEqual({
      topic: 'silt',
      url: '/guide/',
      page: '/guide/',
      title: '/guide/',
    })
  })
})

it('reads pages of any depth', () => {
  const found = one(`<main>${'<div><b>'.repeat(6_000)}deep`)
  expect(found.map(({ document }) => document)).toEqual(['deep'])
})

it('reads whatever is given to it', () => {
  const piece = fc.constantFrom(
    '<main>',
    '</main>',
    '<h2 id=x>',
    '</h2>',
    '<p',
    '>',
    'text',
    '&amp;',
    '<!--',
    '-->',
    '<script>',
    '"',
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      for (const { id, document } of one(pieces.join('')))
        expect([id.startsWith('/guide/'), document.trim()]).toEqual([true, document])
    }),
  )
})

describe('what a site says of itself', () => {
  it('has metadata where there is no other, and values to sort by beside those that are shown', () => {
    const [first] =
      one(`<head><meta property="og:image" content="/default.png" data-pagefind-default-meta="image[content]"></head>
      <main><p data-pagefind-sort="date:2024-03-01, about">On <b data-pagefind-meta="date">1 March</b> <i data-pagefind-sort="weight">7</i></p></main>`)
    expect(first?.metadata).toMatchObject({
      image: '/default.png',
      date: '1 March',
      'sort:date': '2024-03-01, about',
      weight: '7',
    })
    expect(first?.metadata).not.toHaveProperty('sort:weight')
    const own = one(`<main data-pagefind-default-meta="kind:page"><b data-pagefind-meta="kind">note</b></main>`)
    expect(own[0]?.metadata).toMatchObject({ kind: 'note' })
  })

  it('is read in the encoding that it names', () => {
    const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
    expect(htmlText(latin('<meta charset=windows-1252><p>caf\xe9 \x80'))).toContain('café €')
    expect(htmlText(latin('<meta http-equiv=content-type content="text/html; charset=iso-8859-2">\xe8'))).toContain('č')
    expect(htmlText(latin('\xff\xfeh\x00i\x00'))).toBe('hi')
    expect(htmlText(new TextEncoder().encode('<meta charset="no such">größe'))).toContain('größe')
    expect(htmlText(latin('<meta charset=utf-16>plain'))).toContain('plain')
  })

  it('has the language of most of its pages', () => {
    const pages = ['de-DE', "'de'", '"en"', ''].map((lang) => ({
      html: `<!doctype html><html class=x lang=${lang}><p>x`,
    }))
    expect(languageOfSite(pages)).toBe('de')
    expect(languageOfSite(pages.slice(3))).toBeUndefined()
  })
})
