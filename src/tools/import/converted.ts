// The result of converting a row of the old tables, and helpers for it.
import type { z } from 'zod'
import type { OldRow } from './tables.ts'

export type Values = OldRow['values']

/** The new row with notes for the reader, or why there is none. */
export type Converted<New> = { row: New; notes: string[] } | { fault: string }

export function explain({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

/** The values of these columns, with a default for NULL and for an absent column. */
export function withDefault<Default>(
  values: Values,
  missing: Default,
  ...names: string[]
): Record<string, string | Default> {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? missing]))
}
