// Builds password hashes with older parameters.
import { scryptSync } from 'node:crypto'

export function makeHash(text: string, { ln, r, p }: { ln: number; r: number; p: number }): string {
  const salt = Buffer.from('0123456789abcdef')
  const hash = scryptSync(text.normalize('NFKC'), salt, 32, { N: 2 ** ln, r, p, maxmem: 64 * 1024 * 1024 })
  const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$scrypt$ln=${ln},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`
}
