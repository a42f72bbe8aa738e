// Keyset pages: a cursor carries the sort value and the id of the last row that was shown.

/** `value` is PostgreSQL's text of the sort column; times keep their microseconds. `id` breaks ties. */
export type Cursor = { sort: string; value: string; id: string }

export type Page<Item> = { items: Item[]; next_cursor: string | null }

export const defaultPageSize = 20
export const maxPageSize = 500

/** Enough for a sort value of 256 characters: JSON uses up to 6 bytes for each, and base64 turns 3 bytes into 4. */
export const maxCursorLength = 2_200

/** Encodes a cursor as opaque, URL-safe text. */
export function encodeCursor({ sort, value, id }: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([sort, value, id]))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** @returns undefined if the text was not written by `encodeCursor`, or was written for another sort order */
export function decodeCursor(text: string, sort: string): Cursor | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const parts: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    if (!Array.isArray(parts) || parts.length !== 3) return undefined
    const [writtenFor, value, id] = parts
    if (writtenFor !== sort || typeof value !== 'string' || typeof id !== 'string') return undefined
    return { sort, value, id }
  } catch {
    return undefined // not a cursor of this API; the caller answers 422
  }
}

/** Makes a page from up to `limit + 1` rows. The extra row only shows that there is a next page. */
export function cutPage<Row, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
  toCursor: (row: Row) => Cursor,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(toItem),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(toCursor(last)) : null,
  }
}
