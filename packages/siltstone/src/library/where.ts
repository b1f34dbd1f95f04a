/** Chroma's filters, with the types of the `chromadb` JavaScript client. */
export type LiteralValue = string | number | bigint | boolean

export type OperatorExpression =
  | { $gt: LiteralValue }
  | { $gte: LiteralValue }
  | { $lt: LiteralValue }
  | { $lte: LiteralValue }
  | { $ne: LiteralValue }
  | { $eq: LiteralValue }
  | { $in: LiteralValue[] }
  | { $nin: LiteralValue[] }
  | { $contains: LiteralValue }
  | { $not_contains: LiteralValue }
  | { $regex: string }
  | { $not_regex: string }
  /** Extension, for `#document`: words that follow one another, whatever their case and English endings. */
  | { $phrase: string }
  | { $not_phrase: string }
  // The client's type has these two, so values of that type must be accepted here. At run time they are refused.
  | { $and: LiteralValue }
  | { $or: LiteralValue }

/** Filters by metadata; the keys `#document` and `#id` filter by document and id. */
export type Where = { [key: string]: LiteralValue | OperatorExpression } | { $and: Where[] } | { $or: Where[] }

/** Filters by the text of documents. */
export type WhereDocument =
  | { $contains: string }
  | { $not_contains: string }
  | { $regex: string }
  | { $not_regex: string }
  /** Extension: words that follow one another, whatever their case and English endings. */
  | { $phrase: string }
  | { $not_phrase: string }
  // The client's type has these two, but no grammar does. At run time they are refused.
  | { $matches: string }
  | { $not_matches: string }
  | { $and: WhereDocument[] }
  | { $or: WhereDocument[] }
