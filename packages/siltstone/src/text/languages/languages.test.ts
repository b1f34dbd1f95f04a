import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LANGUAGES } from '../../model/text-fields.ts'
import { Analyzer } from '../analyzer.ts'
import { fold } from '../words.ts'
import { LOADERS } from './languages.ts'

/** Words of texts, with the stems that `snowballstemmer` 2.2.0 of PyPI gives. */
const STEMS: Record<keyof typeof LOADERS, string> = {
  french: `interfacer:interfac renseigner:renseign émissions:émiss contrainte:contraint rangs:rang proposant:propos
    énumérées:énumer préinterprétation:préinterpret coordination:coordin identifiant:identifi renvoyant:renvoi conscience:conscienc
    privilège:privileg finales:final courante:cour implémenté:implément petit:pet feuille:feuill
    passez:pass produits:produit marquer:marqu authorize:authoriz premiers:premi expose:expos
    coordonnées:coordon utilisant:utilis clique:cliqu marche:march fermées:ferm encodé:encod
    dbmmanage:dbmmanag multipliée:multipli pratiques:pratiqu sometimes:sometim bidirectionnelle:bidirectionnel expédié:expédi
    chargement:charg fournissent:fourn récupère:récuper coexistence:coexistent removes:remov chiffré:chiffr
    courants:cour utiliser:utilis signaler:signal actifs:actif medicine:medicin reportez:report`,
  german: `headername:headernam basierend:basier differ:diff notices:notic anzupassen:anzupass bourne:bourn
    herangehensweise:herangehensweis einbindungspunkte:einbindungspunkt wären:war externen:extern authformdisablenostore:authformdisablenostor webschnittstelle:webschnittstell
    namen:nam inzwischen:inzwisch secrets:secret subrequests:subrequ aufgeführt:aufgefuhrt zeichenkodierung:zeichenkodier
    volumes:volum entwicklungen:entwickl verwendende:verwend standardpakete:standardpaket debianservers:debianserv number:numb
    lvresize:lvresiz heutzutage:heutzutag führen:fuhr überspringen:uberspring basierendes:basier unmöglich:unmog
    thousands:thousand square:squar teilen:teil denies:deni stands:stand marks:mark
    sicher:sich dbdparams:dbdparam booten:boot entfernung:entfern nennen:nenn partitionen:partition
    excessive:excessiv rechnername:rechnernam genaue:genau langsame:langsam aufzudecken:aufzudeck users:user`,
  italian: `sessioni:session specifico:specif richiederebbe:richied numerose:numer indisponibile:indispon regressione:regression
    aggiungete:aggiung uniche:unic applicate:applic discreto:discret discusso:discuss ricordarsi:ricord
    teoria:teor dando:dand spostamento:spost individuare:individu perdite:perd tecnologia:tecnolog
    vocabolario:vocabolar formulate:formul aumenteranno:aument coverage:coverag sottrazioni:sottrazion campagne:campagn
    montata:mont propria:propr intervento:intervent fatta:fatt kfree:kfre reliable:reliabl
    assicurando:assicur venema:venem graffe:graff scritti:scritt previsto:previst bianchi:bianc
    avvertito:avvert sceglierne:scegl decisione:decision inoltro:inoltr scompattato:scompatt eliminato:elimin
    cercato:cerc forse:fors subtree:subtre sottosistemi:sottosistem coerenza:coerenz espressioni:espression`,
  portuguese: `vistos:vist mecanismos:mecan subsistemas:subsistem clear:cle notes:not whose:whos
    sugerido:suger trocas:troc square:squar chave:chav máximo:máxim típica:típic
    apresenta:apresent conformidade:conform immediate:immediat brevemente:brevement primária:primár anteriores:anterior
    disso:diss oferta:ofert grupo:grup pausa:paus groupofuniquenames:groupofuniquenam authzprovideralias:authzprovideral
    imediatamente:imediat inteiros:inteir fallbackresource:fallbackresourc myexample:myexampl apresentação:apresent overrides:overrid
    ligado:lig limitando:limit executam:execut drives:driv continue:continu registra:registr
    custos:cust controlador:control corretas:corret finite:finit certifique:certifiqu linkname:linknam
    sumário:sumári trazido:traz anexados:anex entendimento:entend demanda:demand linear:lin`,
  spanish: `inversa:invers authformsitepassphrase:authformsitepassphr coincidir:coincid buscar:busc diretivas:diret resulted:result
    square:squar tendrás:tendras párrafo:parraf rushes:rush tenido:ten repositories:repositori
    merged:merg remotamente:remot administra:administr proporcionadas:proporcion manipulado:manipul definitive:definitiv
    escanear:escan reconoce:reconoc funcionalidad:funcional película:pelicul finalizó:finaliz controladoras:control
    usará:usar evaluadas:evalu facilitate:facilitat pagar:pag space:spac prerotate:prerotat
    sessionheader:sessionhead publica:public desactivada:desactiv armazenamento:armazenament repaldos:repald behave:behav
    seguidos:segu testxen:testx combines:combin áreas:are wsread:wsre alberga:alberg
    viewer:view agrupando:agrup instalada:instal desarrollados:desarroll programas:program mdmatchnames:mdmatchnam`,
  swedish: `authtype:authtyp behaves:behav skripten:skript slumpmässig:slumpmäss kombinerad:kombiner arkivera:arkiver
    tillgänlig:tillgän shellcode:shellcod relativa:relativ packas:pack termen:term förenklas:förenkl
    places:plac sarge:sarg subdomains:subdomain extensions:extension purchase:purchas exemplar:exempl
    opposite:opposit nytillkommna:nytillkommn databases:databas katagorier:katagori permissive:permissiv unixtjänster:unixtjänst
    talas:tal liveavbilder:liveavbild myhostname:myhostnam användningen:användning swappable:swappabl authoritative:authoritativ
    lättförståelig:lättförståe psize:psiz granska:gransk cowbuilder:cowbuild cacher:cach remains:remain
    korsad:kors inheritable:inheritabl uppskattat:uppskat föreslagna:föreslagn single:singl uppdaterade:uppdater
    viewer:view stämmer:stämm implements:implement workplace:workplac semikolonseparerad:semikolonseparer konfigurerats:konfigurerat`,
}

describe('a language', () => {
  it.each(Object.keys(STEMS) as (keyof typeof STEMS)[])('%s has the stems of Snowball', async (language) => {
    const { stem } = await LOADERS[language]()
    const pairs = STEMS[language].split(/\s+/).map((pair) => pair.split(':'))
    expect(pairs.map(([word = '']) => [word, stem(word)])).toEqual(pairs)
  })

  it('gives some term to any word, and finds a word by each of its forms', async () => {
    for (const language of LANGUAGES) {
      const analyzer = await Analyzer.load(language)
      expect(analyzer.name).toBe(`${language}-1`)
      fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom(...Array.from('aeiouyäöüßéèçñãõstnrlgcqu1山')) }), (text) => {
          analyzer.each(text, (term, word) => {
            expect(term.length).toBeGreaterThan(0)
            expect(analyzer.termOf(fold(word))).toBe(term)
          })
        }),
        { numRuns: 50 },
      )
    }
    const german = await Analyzer.load('german')
    expect(german.termOf('Häusern')).toBe(german.termOf('haus'))
    expect([...german.query('die Straßen der Stadt').terms]).toEqual([
      [german.termOf('STRASSE'), 1],
      ['stadt', 1],
    ])
    expect([...german.query('die der').terms.keys()]).toHaveLength(2)
  })
})
