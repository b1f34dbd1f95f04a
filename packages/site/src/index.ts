export { htmlText, languageOfSite } from './page-text.ts'
export { passagesOfSite, type SitePage, type SitePassage } from './site-passages.ts'
