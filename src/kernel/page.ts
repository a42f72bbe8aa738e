// Keyset pages: a cursor carries the sort value and the id of the last row that was shown.

/** `value` is PostgreSQL's own text of the sort column (microseconds and all); `id` breaks ties. */
export type Cursor = { sort: string; value: string; id: string }

export type Page<Item> = { items: Item[]; next_cursor: string | null }

export const defaultPageSize = 20
export const largestPageSize = 100

/** Room for a sort value of 256 characters, which JSON may write in 6 bytes each; base64 makes 4 of every 3. */
export const longestCursor = 2_200

/** A cursor as an opaque, URL-safe text. */
export function encodeCursor({ sort, value, id }: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([sort, value, id]))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Reads a cursor back; undefined for whatever `encodeCursor` did not write, or wrote for another order. */
export function decodeCursor(text: string, sort: string): Cursor | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const parts: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    if (!Array.isArray(parts) || parts.length !== 3) return undefined
    const [writtenFor, value, id] = parts
    if (writtenFor !== sort || typeof value !== 'string' || typeof id !== 'string') return undefined
    return { sort, value, id }
  } catch {
    return undefined // not ours: the caller says so to the client
  }
}

/** Cuts the one row too many that says whether there is a next page. */
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
