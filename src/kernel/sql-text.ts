// SQL text from names of ours, so that a list of states stands in one array and is never repeated in a statement.

/**
 * A list of literals: `'QUEUED', 'SENT'`.
 * @throws TypeError for a name that needs quoting: this is for constants of the code, never for input
 */
export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join(', ')
}

/** One literal: `'QUEUED'`. @throws TypeError as `quoteNames` */
export function quoteName(name: string): string {
  if (!/^[\w-]+$/.test(name)) throw new TypeError(`not a name: ${name}`)
  return `'${name}'`
}
