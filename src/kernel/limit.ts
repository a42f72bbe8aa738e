// A rate limit: the type that the services and the HTTP layer share.

/** At most `quota` uses in `windowSeconds`. The name appears in the error text and in the `RateLimit` header. */
export type Limit = { name: string; quota: number; windowSeconds: number }
