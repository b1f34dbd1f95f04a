/** Defines `<siltstone-search>`. */
import { SiltstoneSearch } from './search-element.ts'

if (!customElements.get('siltstone-search')) customElements.define('siltstone-search', SiltstoneSearch)
