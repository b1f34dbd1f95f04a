/** Portuguese: the Snowball stemmer of Portuguese (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { beforeAmente, type Regions, romanceRegions, Suffixes, withoutEnd } from './suffixes.ts'

const VOWELS = 'aeiouáéíóúâêô'
// While a word is stemmed, ã and õ are a vowel and a consonant.
const STANDARD = new Suffixes({
  plain: `eza ezas ico ica icos icas ismo ismos ável ível ista istas oso osa osos osas amento amentos imento imentos adora ador aça~o
    adoras adores aço~es ante antes ância`,
  log: 'logia logias',
  u: 'uça~o uço~es',
  ente: 'ência ências',
  amente: 'amente',
  mente: 'mente',
  idade: 'idade idades',
  iva: 'iva ivo ivas ivos',
  ira: 'ira iras',
})
const VERB = new Suffixes({
  plain: `ada ida ia aria eria iria ará ara erá era irá ava asse esse isse aste este iste ei arei erei irei am iam ariam eriam iriam
    aram eram iram avam em arem erem irem assem essem issem ado ido ando endo indo ara~o era~o ira~o ar er ir as adas idas ias
    arias erias irias arás aras erás eras irás avas es ardes erdes irdes ares eres ires asses esses isses astes estes istes is ais
    eis íeis aríeis eríeis iríeis áreis areis éreis ereis íreis ireis ásseis ésseis ísseis áveis ados idos ámos amos íamos
    aríamos eríamos iríamos áramos éramos íramos ávamos emos aremos eremos iremos ássemos êssemos íssemos imos armos ermos irmos eu
    iu ou ira iras`,
})
const RESIDUAL = new Suffixes({ plain: 'os a i o á í ó' })

export function stem(written: string): string {
  const word = written.replaceAll('ã', 'a~').replaceAll('õ', 'o~')
  const regions = romanceRegions(word, VOWELS)
  const { rv } = regions
  let changed = withoutStandard(word, regions) ?? VERB.removedFrom(word, regions.rv)
  if (changed !== undefined) {
    if (changed.endsWith('ci') && changed.length - 1 >= rv) changed = changed.slice(0, -1)
  } else {
    const residual = RESIDUAL.of(word)
    changed = residual && residual.start >= rv ? word.slice(0, residual.start) : word
  }
  return withoutForm(changed, regions).replaceAll('a~', 'ã').replaceAll('o~', 'õ')
}

function withoutStandard(word: string, { rv, r1, r2 }: Regions): string | undefined {
  const found = STANDARD.of(word)
  if (!found) return undefined
  const rest = word.slice(0, found.start)
  if (found.group === 'ira') return found.start >= rv && rest.endsWith('e') ? `${rest}ir` : undefined
  if (found.start < (found.group === 'amente' ? r1 : r2)) return undefined
  switch (found.group) {
    case 'plain':
      return rest
    case 'log':
    case 'u':
    case 'ente':
      return rest + found.group
    case 'amente':
      return beforeAmente(rest, /(?:iv|os|ic|ad)$/, r2)
    case 'mente':
      return withoutEnd(rest, /(?:ante|avel|ível)$/, r2)
    case 'idade':
      return withoutEnd(rest, /(?:abil|ic|iv)$/, r2)
    case 'iva':
      return withoutEnd(rest, /at$/, r2)
  }
}

function withoutForm(word: string, { rv }: Regions): string {
  if (word.endsWith('ç')) return `${word.slice(0, -1)}c`
  if (!/[eéê]$/.test(word) || word.length - 1 < rv) return word
  const rest = word.slice(0, -1)
  return /(?:gu|ci)$/.test(rest) && rest.length - 1 >= rv ? rest.slice(0, -1) : rest
}

export const STOP_WORDS =
  'a à ao aos aquela aquele aquilo as às até com como da das de dela dele depois do dos e é ela elas ele eles em entre era essa esse esta está este eu foi for há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós num numa o os ou para pela pelas pelo pelos por qual quando que quem são se sem ser será seu seus só sua suas também te tem tu um uma você'
