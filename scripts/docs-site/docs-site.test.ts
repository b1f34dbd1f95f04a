import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { linkProblems } from './check-links.ts'
import { Declarations } from './declarations.ts'
import { linkBetween, pageOf, repositoryFiles } from './files.ts'
import { FILES, pageHtml } from './layout.ts'
import { render } from './markdown.ts'
import { sitePages } from './pages.ts'

const folder = mkdtempSync(join(tmpdir(), 'siltstone-declarations-'))
afterAll(() => rmSync(folder, { recursive: true }))

const same = { link: (href: string) => href, image: (href: string) => href }

describe('the documentation site', () => {
  it('has every page of docs, no broken link, and loads nothing from elsewhere', () => {
    const files = repositoryFiles()
    const { pages, navigation, assets } = sitePages(files)
    const html = new Map(pages.map((page) => [page.path, pageHtml(page, navigation)]))
    const documents = [...files].filter((path) => path.startsWith('docs/') && path.endsWith('.md'))
    expect(documents.length).toBeGreaterThan(40)
    for (const path of documents) expect(html.has(pageOf(path)), path).toBe(true)
    expect(linkProblems(html, new Set([...FILES, ...assets.keys()]))).toEqual([])
    expect(navigation.map(({ title }) => title)).toEqual(['Learn', 'Do', 'Look up', 'Understand'])
    expect(navigation.every(({ entries }) => entries.length > 0 && entries.every(({ title }) => title !== ''))).toBe(
      true,
    )
  })

  it('notices links that lead nowhere and what is loaded from elsewhere', () => {
    const pages = new Map([
      [
        'index.html',
        '<a href="a/b.html#there"></a><a href="a/b.html#gone"></a><a href="no.html"></a><a href="#x"></a>',
      ],
      ['a/b.html', '<h2 id="there"></h2><a href="../index.html"></a><img src="https://elsewhere.test/x.png">'],
    ])
    expect(linkProblems(pages, new Set())).toEqual([
      'index.html leads to a/b.html#gone, which has no such place',
      'index.html leads to no.html, which is not there',
      'index.html leads to #x, which has no such place',
      'a/b.html loads https://elsewhere.test/x.png',
    ])
  })

  it('places pages, and links them relatively', () => {
    expect(pageOf('docs/README.md')).toBe('index.html')
    expect(pageOf('docs/how-to/aws/README.md')).toBe('how-to/aws/index.html')
    expect(pageOf('README.md')).toBe('repository/index.html')
    expect(pageOf('bench/RESULTS.md')).toBe('repository/bench/RESULTS.html')
    expect(pageOf('docs/decisions', true)).toBe('decisions/index.html')
    expect(linkBetween('how-to/filter.html', 'index.html')).toBe('../index.html')
    expect(linkBetween('index.html', 'index.html')).toBe('index.html')
  })
})

describe('Markdown', () => {
  it('names headings as GitHub does, each once', () => {
    const { title, html } = render('# `a` & B\n\n## Twice\n\n## Twice\n', same)
    expect(title).toBe('a &amp; B')
    expect([...html.matchAll(/id="([^"]+)"/g)].map(([, id]) => id)).toEqual(['a--b', 'twice', 'twice-1'])
  })

  it('shows code and empty headings of tables as they are', () => {
    expect(render('```ts\na < "b"\n```', same).html).toBe(
      '<pre tabindex="0" data-language="ts"><code>a &lt; &quot;b&quot;</code></pre>\n',
    )
    expect(render('| a | |\n|---|---|\n| 1 | 2 |', same).html).toContain('<th>a</th><td></td>')
  })
})

describe('declarations', () => {
  it('are found through every way of exporting, with their comments, without what is private', () => {
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
    write(
      'inner.d.ts',
      [
        '/** Opens it. */',
        'export declare function open(a: string): Box;',
        'export declare function open(a: number): Box;',
        '/**',
        ' * A box.',
        ' * With two lines.',
        ' */',
        'export declare class Box {',
        '    #private;',
        '    private readonly secret;',
        '    size: number;',
        '}',
        'declare const LIMIT = 5;',
        'export { LIMIT as MAX };',
        'export type Hidden = string;',
      ].join('\n'),
    )
    write('star.d.ts', "export * from './inner.ts';\n")
    write(
      'index.d.ts',
      "import { Box } from './star.js';\nexport { Box };\nexport { open, MAX as LIMIT } from './star.js';\n",
    )
    expect(new Declarations().exportsOf(join(folder, 'index.d.ts'))).toEqual([
      { name: 'Box', kind: 'class', text: 'class Box {\n    size: number;\n}', doc: 'A box.\nWith two lines.' },
      { name: 'LIMIT', kind: 'constant', text: 'const LIMIT = 5;', doc: '' },
      {
        name: 'open',
        kind: 'function',
        text: 'function open(a: string): Box;\nfunction open(a: number): Box;',
        doc: 'Opens it.',
      },
    ])
  })
})
