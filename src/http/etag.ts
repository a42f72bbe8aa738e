// Conditional requests (RFC 9110 §13). Our ETags are strong. A proxy that compresses an answer changes its ETag, so both
// headers recognise ours by what the proxy left of it: an ETag of ours names one revision, however it was transferred.
import { createHash } from 'node:crypto'

/** The ETag of a text: the beginning of its SHA-256. */
export function digestEtag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
}

const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** What Apache, Caddy (`-gzip`) and Jetty (`--gzip`) append. nginx and Cloudflare make the ETag weak instead. */
const codingSuffix = /(?:--?(?:gzip|br|zstd|deflate))+(?="$)/

/** Whether `If-None-Match` contains this ETag. A GET then answers 304. */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && (readEtags(ifNoneMatch)?.includes(etag) ?? true)
}

/**
 * The ETags of `If-Match` as we sent them, or undefined if every state is accepted. A header without an ETag matches
 * nothing.
 */
export function readIfMatch(ifMatch: string | undefined): string[] | undefined {
  return ifMatch === undefined ? undefined : readEtags(ifMatch)
}

/** Undefined for `*`. */
function readEtags(header: string): string[] | undefined {
  if (header.trim() === '*') return undefined
  return (header.match(entityTag) ?? []).map((tag) => tag.replace(/^W\//, '').replace(codingSuffix, ''))
}
