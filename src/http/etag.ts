// Conditional requests (RFC 9110 §13).

const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Whether `If-None-Match` names this representation: then a GET is answered 304. Weak comparison. */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  return (ifNoneMatch.match(entityTag) ?? []).some((tag) => tag.replace(/^W\//, '') === etag)
}

/**
 * The tags of `If-Match`, or undefined when any state will do. Strong comparison: a weak tag matches nothing, and a
 * header without a tag matches nothing either.
 */
export function readIfMatch(ifMatch: string | undefined): string[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  return (ifMatch.match(entityTag) ?? []).filter((tag) => !tag.startsWith('W/'))
}
