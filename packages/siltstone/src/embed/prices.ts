/**
 * US dollars per million input tokens: the providers' list prices of November 2026, on demand. Configure
 * `dollarsPerMillionTokens` where yours differ.
 */
export const listPrices: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 0.02,
  'text-embedding-3-large': 0.13,
  'text-embedding-ada-002': 0.1,
  'amazon.titan-embed-text-v2:0': 0.02,
}
