export { passagesOfSite, type SitePage, type SitePassage } from './site-passages.ts'
