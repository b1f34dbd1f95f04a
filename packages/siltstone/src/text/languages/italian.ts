/** Italian: the Snowball stemmer of Italian (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { beforeAmente, type Regions, romanceRegions, Suffixes, withoutEnd } from './suffixes.ts'

const VOWELS = 'aeiouàèìòù'
const PRONOUNS = new Suffixes({
  pronoun: `ci gli la le li lo mi ne si ti vi sene gliela gliele glieli glielo gliene mela mele meli melo mene tela tele teli telo
    tene cela cele celi celo cene vela vele veli velo vene`,
})
const BEFORE_PRONOUN = new Suffixes({ plain: 'ando endo', r: 'ar er ir' })
const STANDARD = new Suffixes({
  plain: `anza anze ico ici ica ice iche ichi ismo ismi abile abili ibile ibili ista iste isti istà istè istì oso osi osa ose mente
    atrice atrici ante anti`,
  ic: 'azione azioni atore atori',
  log: 'logia logie',
  u: 'uzione uzioni usione usioni',
  ente: 'enza enze',
  mento: 'amento amenti imento imenti',
  amente: 'amente',
  ità: 'ità',
  ivo: 'ivo ivi iva ive',
})
const VERB = new Suffixes({
  plain: `ammo ando ano are arono asse assero assi assimo ata ate ati ato ava avamo avano avate avi avo emmo enda ende endi endo erà
    erai eranno ere erebbe erebbero erei eremmo eremo ereste eresti erete erò erono essero ete eva evamo evano evate evi evo Yamo
    iamo immo irà irai iranno ire irebbe irebbero irei iremmo iremo ireste iresti irete irò irono isca iscano isce isci isco
    iscono issero ita ite iti ito iva ivamo ivano ivate ivi ivo ono uta ute uti uto ar ir`,
})

export function stem(written: string): string {
  let word = written
    .replace(/[áéíóú]/g, (one) => 'àèìòù'['áéíóú'.indexOf(one)] as string)
    .replaceAll('qu', 'qU')
    .replace(/(?<=[aeiouàèìòù])[ui](?=[aeiouàèìòù])/g, (one) => one.toUpperCase())
  const regions = romanceRegions(word, VOWELS)
  word = withoutPronoun(word, regions)
  word = withoutStandard(word, regions) ?? VERB.removedFrom(word, regions.rv) ?? word
  return withoutVowels(word, regions).toLowerCase()
}

function withoutPronoun(word: string, { rv }: Regions): string {
  const pronoun = PRONOUNS.of(word)
  if (!pronoun) return word
  const rest = word.slice(0, pronoun.start)
  const before = BEFORE_PRONOUN.of(rest)
  if (!before || before.start < rv) return word
  return before.group === 'plain' ? rest : `${rest}e`
}

function withoutStandard(word: string, { rv, r1, r2 }: Regions): string | undefined {
  const found = STANDARD.of(word)
  if (!found) return undefined
  if (found.start < (found.group === 'amente' ? r1 : found.group === 'mento' ? rv : r2)) return undefined
  const rest = word.slice(0, found.start)
  switch (found.group) {
    case 'plain':
    case 'mento':
      return rest
    case 'ic':
      return withoutEnd(rest, /ic$/, r2)
    case 'log':
    case 'u':
    case 'ente':
      return rest + found.group
    case 'amente':
      return beforeAmente(rest, /(?:iv|os|ic|abil)$/, r2)
    case 'ità':
      return withoutEnd(rest, /(?:abil|ic|iv)$/, r2)
    case 'ivo': {
      const without = withoutEnd(rest, /at$/, r2)
      return without === rest ? rest : withoutEnd(without, /ic$/, r2)
    }
  }
}

function withoutVowels(written: string, { rv }: Regions): string {
  let word = written
  if (word.length - 1 >= rv && /[aeioàèìò]$/.test(word)) {
    word = word.slice(0, -1)
    if (word.length - 1 >= rv && word.endsWith('i')) word = word.slice(0, -1)
  }
  return word.length - 2 >= rv && /[cg]h$/.test(word) ? word.slice(0, -1) : word
}

export const STOP_WORDS =
  'a ad agli ai al alla alle allo anche avere che chi ci col come con contro cui da dagli dai dal dalla dalle degli dei del della delle dello di dove e è ed era essere fra gli ha hanno i il in io l la le lei li lo loro lui ma mi mia mio ne negli nei nel nella nelle nello noi non nostro o per perché più quale quando quanto quella quelle quelli quello questa queste questi questo se sei si sia sono su sua sugli sui sul sulla sulle suo ti tra tu tuo un una uno vi voi'
