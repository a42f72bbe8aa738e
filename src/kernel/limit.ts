/** At most `quota` uses in `windowSeconds`. The name appears in the error text and in the `RateLimit` header. */
export type Limit = { name: string; quota: number; windowSeconds: number }
