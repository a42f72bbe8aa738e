// Conditional requests (RFC 9110 §13).

const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Whether `If-None-Match` contains this ETag. A GET then answers 304. Uses weak comparison. */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  return (ifNoneMatch.match(entityTag) ?? []).some((tag) => tag.replace(/^W\//, '') === etag)
}

/**
 * The ETags of `If-Match`, or undefined if every state is accepted. Uses strong comparison: a weak ETag matches nothing.
 * A header without an ETag also matches nothing.
 */
export function readIfMatch(ifMatch: string | undefined): string[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  return (ifMatch.match(entityTag) ?? []).filter((tag) => !tag.startsWith('W/'))
}
