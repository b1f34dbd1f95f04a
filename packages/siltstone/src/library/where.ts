/** Chroma's filters, as the `chromadb` JavaScript client types them. */
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
  // The client's type has these two, though they mean nothing here: its users' filters must fit. They are refused.
  | { $and: LiteralValue }
  | { $or: LiteralValue }

/** By metadata; the keys `#document` and `#id` filter by those. */
export type Where = { [key: string]: LiteralValue | OperatorExpression } | { $and: Where[] } | { $or: Where[] }

/** By the text of documents. */
export type WhereDocument =
  | { $contains: string }
  | { $not_contains: string }
  | { $regex: string }
  | { $not_regex: string }
  // In the client's type, but in nobody's grammar; refused.
  | { $matches: string }
  | { $not_matches: string }
  | { $and: WhereDocument[] }
  | { $or: WhereDocument[] }
