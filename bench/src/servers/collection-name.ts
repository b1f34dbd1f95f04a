export const COLLECTION = 'passages'
