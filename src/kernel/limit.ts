/** A quota of something in a window of time. The name is for people and for the `RateLimit` header. */
export type Limit = { name: string; quota: number; windowSeconds: number }
