/** Spanish: the Snowball stemmer of Spanish (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { beforeAmente, type Regions, romanceRegions, Suffixes, withoutEnd } from './suffixes.ts'

const VOWELS = 'aeiouáéíóúü'
const PRONOUNS = new Suffixes({ pronoun: 'me se sela selo selas selos la le lo las les los nos' })
const BEFORE_PRONOUN = new Suffixes({ accented: 'iéndo ándo ár ér ír', plain: 'ando iendo ar er ir', y: 'yendo' })
const STANDARD = new Suffixes({
  plain: `anza anzas ico ica icos icas ismo ismos able ables ible ibles ista istas oso osa osos osas amiento amientos imiento
    imientos`,
  ic: 'adora ador ación adoras adores aciones acion ante antes ancia ancias',
  log: 'logía logías',
  u: 'ución uciones ucion',
  ente: 'encia encias',
  amente: 'amente',
  mente: 'mente',
  idad: 'idad idades',
  iva: 'iva ivo ivas ivos',
})
const Y_VERB = new Suffixes({ y: 'ya ye yan yen yeron yendo yo yó yas yes yais yamos' })
const VERB = new Suffixes({
  gu: 'en es éis emos',
  plain: `arían arías arán arás aríais aría aréis aríamos aremos ará aré erían erías erán erás eríais ería eréis eríamos eremos erá eré
    irían irías irán irás iríais iría iréis iríamos iremos irá iré aba ada ida ía ara iera ad ed id ase iese aste iste an aban ían
    aran ieran asen iesen aron ieron ado ido ando iendo ió ar er ir as abas adas idas ías aras ieras ases ieses ís áis abais íais
    arais ierais aseis ieseis asteis isteis ados idos amos ábamos íamos imos áramos iéramos iésemos ásemos`,
})
const RESIDUAL = new Suffixes({ plain: 'os a o á í ó', e: 'e é' })

export function stem(written: string): string {
  const regions = romanceRegions(written, VOWELS)
  const word = withoutPronoun(written, regions)
  const changed = withoutStandard(word, regions) ?? withoutVerb(word, regions) ?? word
  return withoutAccents(withoutResidual(changed, regions))
}

function withoutAccents(word: string): string {
  return word.replace(/[áéíóú]/g, (one) => 'aeiou'['áéíóú'.indexOf(one)] as string)
}

function withoutPronoun(word: string, { rv }: Regions): string {
  const pronoun = PRONOUNS.of(word)
  if (!pronoun) return word
  const rest = word.slice(0, pronoun.start)
  const before = BEFORE_PRONOUN.of(rest)
  if (!before || before.start < rv) return word
  if (before.group === 'y') return rest.endsWith('uyendo') ? rest : word
  return before.group === 'plain' ? rest : rest.slice(0, before.start) + withoutAccents(before.suffix)
}

function withoutStandard(word: string, { r1, r2 }: Regions): string | undefined {
  const found = STANDARD.of(word)
  if (!found || found.start < (found.group === 'amente' ? r1 : r2)) return undefined
  const rest = word.slice(0, found.start)
  switch (found.group) {
    case 'plain':
      return rest
    case 'ic':
      return withoutEnd(rest, /ic$/, r2)
    case 'log':
    case 'u':
    case 'ente':
      return rest + found.group
    case 'amente':
      return beforeAmente(rest, /(?:iv|os|ic|ad)$/, r2)
    case 'mente':
      return withoutEnd(rest, /(?:ante|able|ible)$/, r2)
    case 'idad':
      return withoutEnd(rest, /(?:abil|ic|iv)$/, r2)
    case 'iva':
      return withoutEnd(rest, /at$/, r2)
  }
}

function withoutVerb(word: string, { rv }: Regions): string | undefined {
  const y = Y_VERB.of(word, rv)
  if (y && word[y.start - 1] === 'u') return word.slice(0, y.start)
  const found = VERB.of(word, rv)
  if (!found) return undefined
  const rest = word.slice(0, found.start)
  return found.group === 'gu' && rest.endsWith('gu') ? rest.slice(0, -1) : rest
}

function withoutResidual(word: string, { rv }: Regions): string {
  const found = RESIDUAL.of(word)
  if (!found || found.start < rv) return word
  const rest = word.slice(0, found.start)
  return found.group === 'e' && rest.endsWith('gu') && rest.length - 1 >= rv ? rest.slice(0, -1) : rest
}

export const STOP_WORDS =
  'a al algo algunos ante antes como con contra cual cuando de del desde donde durante e el él ella ellas ellos en entre era es esa ese eso esta está están este esto estos fue ha había han hasta hay la las le les lo los más me mi mientras muy nada ni no nos o os otra otro para pero poco por porque que qué quien se sea según ser si sí sin sobre son su sus también tanto te tiene todo todos tu tus un una uno unos y ya yo'
