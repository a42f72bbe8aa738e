// Rules for text from outside. Lengths are code points, as JSON Schema counts them.

/** Whether the text has invisible code points, such as the zero-width space and the Hangul fillers. */
export function hasInvisible(text: string): boolean {
  return /\p{Default_Ignorable_Code_Point}/u.test(text)
}

/** Whether the text has no visible character. */
export function isBlank(text: string): boolean {
  return /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text) // U+2800 is braille without dots
}

/**
 * The first `maxLength` code points of a text, in a form that PostgreSQL can store: without NUL and lone surrogates.
 */
export function cutText(text: string, maxLength: number): string {
  // Cut by code units first, so that only the beginning is split into code points.
  const beginning = text
    .replaceAll('\0', '')
    .toWellFormed()
    .slice(0, 2 * maxLength)
  return [...beginning].slice(0, maxLength).join('')
}
