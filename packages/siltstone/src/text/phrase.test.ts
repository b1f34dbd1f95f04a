import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Language } from '../model/text-fields.ts'
import { Analyzer } from './analyzer.ts'
import { LONGEST_PHRASE, Phrase } from './phrase.ts'

it.each<[phrase: string, text: string, isIn: boolean]>([
  ['stone bridge', 'The Stone Bridges, built in 1890', true],
  ['stone bridge', 'stone, bridge', true],
  ['stone bridge', 'a bridge of stone', false],
  ['stone bridge', 'stone old bridge', false],
  ['the stone', 'on the stone', true],
  ['山石河', '那里有山石河。', true],
  ['山石河', '山石 石河', false],
  ['山石河', '山石', false],
  ['ＡＢ', 'ab', true],
  ['stone', '', false],
])('%j in %j: %s', (phrase, text, isIn) => {
  expect(Phrase.of(phrase)?.isIn(text)).toBe(isIn)
})

it('needs a word, and not too many', () => {
  expect(Phrase.of(' … ')).toBeUndefined()
  const longest = 'a b '.repeat(LONGEST_PHRASE / 2)
  expect(Phrase.of(longest)?.isIn(`b ${longest}`)).toBe(true)
  expect(Phrase.of(longest)?.isIn(longest.slice(2))).toBe(false)
  expect(() => Phrase.of(`${longest} c`)).toThrow(RangeError)
})

/** Phrase / text, forms of words that a reader of the language takes for the same; then what the phrase must not be found in. */
const FORMS: Record<Exclude<Language, 'english' | 'none'>, { found: string; not: string }> = {
  french: {
    found: `feuille morte / Les FEUILLES MORTES se ramassent
      les actualités / l'actualité et les actualités du jour
      calcul exact / des calculs exacts
      chant grégorien / les chants grégoriens
      fermée à clé / les portes fermées à clés
      repas complet / vos repas complets
      une grande maison / une « grande maison », puis
      élève assidu / l’élève assidue
      été indien / l'été indien
      produit utilisé / les produits utilisés`,
    not: `feuille morte / la feuille est morte
      petit déjeuner / déjeuner petit`,
  },
  german: {
    found: `rote Rose / die roten Rosen
      aktuelles Paket / die aktuellen Pakete
      schnelle Bahn / eine SCHNELLE BAHN
      Straße gesperrt / Strassen, gesperrt
      großes Haus / das große Haus
      gelesene Bücher / gelesener Bücher
      neue Entwicklung / Neue Entwicklungen
      alter Mann / alten Mannes
      externe Datei / in externen Dateien
      genaue Uhrzeit / genauer Uhrzeiten`,
    not: `rote Rose / die Rose ist rote
      alter Mann / alter weiser Mann`,
  },
  italian: {
    found: `rosa rossa / delle ROSE ROSSE
      nuova versione / nuove versioni
      sessione aperta / le sessioni aperte
      decisione formulata / decisioni formulate
      libro scritto / i libri scritti
      bella campagna / le belle campagne
      città d'arte / una città d’arte
      espressione chiusa / espressioni chiuse
      perdita applicata / perdite applicate
      errore previsto / errori previsti`,
    not: `rosa rossa / rossa rosa
      nuova versione / nuova e bella versione`,
  },
  portuguese: {
    found: `rosa vermelha / as ROSAS VERMELHAS
      versão anterior / a versão anterior
      novo livro / novos livros
      janela clara / janelas claras
      número inteiro / números inteiros
      grupo ligado / os grupos ligados
      ação imediata / ação imediata
      oferta típica / ofertas típicas
      chave primária / chaves primárias
      configuração apresentada / configuração, apresentada`,
    not: `rosa vermelha / vermelha rosa
      chave primária / chave não primária`,
  },
  spanish: {
    found: `rosa roja / las ROSAS ROJAS
      versión nueva / versiones nuevas
      libro escrito / libros escritos
      canción alegre / canciones alegres
      libro pasado / los libros pasados
      archivo oculto / archivos ocultos
      niño pequeño / niños pequeños
      niña pequeña / las niñas, pequeñas
      expresión escrita / expresiones escritas
      sistema operativo / sistemas operativos`,
    not: `rosa roja / roja rosa
      libro pasado / libro del pasado`,
  },
  swedish: {
    found: `röd ros / en RÖD ROS
      gammal bok / den gammal boken
      nya filer / nya filerna
      stora husen / stora hus
      svenska flaggor / svensk flagga
      varm sommar / varm sommaren
      snabba bilar / snabba bilarna
      öppen dörr / öppen, dörren
      ny version / ny versionen
      glad flicka / glada flickor`,
    not: `röd ros / ros röd
      ny version / ny stor version`,
  },
}

describe.each(Object.entries(FORMS))('in %s', (language, { found, not }) => {
  const pairs = (text: string) => text.split('\n').map((line) => line.trim().split(' / ') as [string, string])
  it.each(pairs(found))('%j is in %j', async (phrase, text) => {
    expect(Phrase.of(phrase, await Analyzer.load(language as Language))?.isIn(text)).toBe(true)
  })
  it.each(pairs(not))('%j is not in %j', async (phrase, text) => {
    expect(Phrase.of(phrase, await Analyzer.load(language as Language))?.isIn(text)).toBe(false)
  })
})

it.each([
  ...['中', '中国', '北京大学', '人工智能', '学生'].map((it) => [it, '中国的北京大学有学生研究人工智能。']),
  ...['今天', '天气', '很好', '气很', '好'].map((it) => [it, '今天天气很好']),
  ...['東京', '東京都', '京都', '猫', 'カタカナ', 'ラーメン', '黒い猫'].map((it) => [
    it,
    '東京都の黒い猫はカタカナでラーメンと書く',
  ]),
  ['ｶﾀｶﾅ', 'カタカナ'],
  ['iPhoneの画面', '新しいIPHONEの画面'],
  ['2025年', '西暦2025年1月'],
  ...['한국어', '서울', '서울 시청', '한국어 문서', '문서', '시청에서', '책', '읽는다', '서를', '에서 한국어'].map(
    (it) => [it, '서울 시청에서 한국어 문서를 책처럼 읽는다'],
  ),
  ...['ภาษาไทย', 'ภาษา', 'ไทย', 'สวัสดี', 'สวัสดีครับ', 'ครับ', 'ที่', 'น้ำ', 'น้ำท่วม', 'ท่วม'].map((it) => [
    it,
    'สวัสดีครับ ภาษาไทย น้ำท่วม ที่ บ้าน',
  ]),
])('%j is in %j', (phrase, text) => {
  expect(Phrase.of(phrase as string)?.isIn(text as string)).toBe(true)
})

it.each([
  ['北大', '中国的北京大学'],
  ['京北', '北京'],
  ['東都', '東京都'],
  ['한어', '한국어'],
  ['서울시청', '서울 시청에서'],
  ['ไท', 'ภาษาไทยเท'.replace('ไทย', 'ไ ทย')],
  ['猫犬', '猫、犬'],
])('%j is not in %j', (phrase, text) => {
  expect(Phrase.of(phrase)?.isIn(text)).toBe(false)
})

it('is found where its words stand one after another, and the characters of a run together', () => {
  const text = (maxLength: number) =>
    fc
      .array(fc.constantFrom('a', 'b', 'A', 'stone', 'stones', '山', '石', '山石', '。'), { maxLength })
      .chain((all) => fc.constantFrom(' ', '').map((between) => all.join(between)))
  /** Terms of words and characters, with a `+` where a character follows one. */
  const unitsOf = (given: string) =>
    (given.match(/[a-zA-Z]+|[山石]+/g) ?? []).flatMap((run) =>
      /^[a-z]/i.test(run)
        ? [Analyzer.of('english').termOf(run)]
        : Array.from(run, (one, i) => (i > 0 ? `${one}+` : one)),
    )
  fc.assert(
    fc.property(text(5), text(20), (phrase, whole) => {
      const wanted = unitsOf(phrase)
      const units = unitsOf(whole)
      const isIn = units.some((_, i) => wanted.every((unit, k) => units[i + k] === unit || units[i + k] === `${unit}+`))
      expect(Phrase.of(phrase)?.isIn(whole) ?? false).toBe(wanted.length > 0 && isIn)
    }),
    { numRuns: 300 },
  )
})
