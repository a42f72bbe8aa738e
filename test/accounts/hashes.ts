// Builds password hashes with older parameters.
import { scryptSync } from 'node:crypto'
import type { Person, World } from '../harness.ts'

export function makeHash(text: string, { ln, r, p }: { ln: number; r: number; p: number }): string {
  const salt = Buffer.from('0123456789abcdef')
  const hash = scryptSync(text.normalize('NFKC'), salt, 32, { N: 2 ** ln, r, p, maxmem: 64 * 1024 * 1024 })
  const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$scrypt$ln=${ln},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`
}

/** Makes the password of this person cheap to check, until the next log-in replaces the hash. */
export async function useQuickHash({ postgres }: World, { id, password }: Person): Promise<void> {
  const quick = makeHash(password, { ln: 1, r: 8, p: 1 })
  await postgres.query('UPDATE accounts SET password_hash = $1 WHERE id = $2', [quick, id])
}
