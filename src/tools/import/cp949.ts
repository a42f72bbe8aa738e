// CP949 (UHC), the encoding of Korean Windows. EUC-KR is a part of it. `TextDecoder` in Node decodes EUC-KR only, and
// turns the other 8,822 syllables into control characters without an error.

const firstSyllable = 0xac00
const lastSyllable = 0xd7a3

/** The characters by their two bytes; 0 where there is none. Filled at the first use. */
let characters: Uint16Array | undefined

/** @returns the text, or the index of the first byte that is not CP949 */
export function decodeCp949(bytes: Uint8Array): string | number {
  characters ??= createTable()
  const parts: string[] = []
  let units: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const lead = bytes[at] ?? 0
    let unit = lead
    if (lead >= 0x80) {
      unit = characters[lead * 256 + (bytes[at + 1] ?? 0)] ?? 0
      if (unit === 0) return at
      at += 1
    }
    units.push(unit)
    if (units.length === 4_096) {
      parts.push(String.fromCharCode(...units)) // a call with all units could have too many arguments
      units = []
    }
  }
  return parts.join('') + String.fromCharCode(...units)
}

function createTable(): Uint16Array {
  const table = new Uint16Array(65_536)
  const decoder = new TextDecoder('euc-kr')
  const known = new Set<number>()
  for (let lead = 0xa1; lead <= 0xfd; lead += 1) {
    for (let trail = 0xa1; trail <= 0xfe; trail += 1) {
      const text = decoder.decode(Uint8Array.of(lead, trail))
      const unit = text.charCodeAt(0)
      const isPrivate = unit >= 0xe000 && unit <= 0xf8ff
      if (text.length !== 1 || text === '\ufffd' || isPrivate) continue
      table[lead * 256 + trail] = unit
      known.add(unit)
    }
  }
  // Characters that were added to KS X 1001 after ICU's table was made.
  for (const [code, unit] of [
    [0xa2e6, 0x20ac],
    [0xa2e7, 0x00ae],
    [0xa2e8, 0x327e],
  ] as const) {
    table[code] = unit
  }
  // CP949 adds the syllables that KS X 1001 does not have, in the order of Unicode, in the codes that are free.
  let syllable = firstSyllable
  for (let lead = 0x81; lead <= 0xc6; lead += 1) {
    for (let trail = 0x41; trail <= (lead <= 0xa0 ? 0xfe : 0xa0); trail += 1) {
      if ((trail > 0x5a && trail < 0x61) || (trail > 0x7a && trail < 0x81)) continue
      while (known.has(syllable)) syllable += 1
      if (syllable > lastSyllable) return table
      table[lead * 256 + trail] = syllable
      syllable += 1
    }
  }
  return table
}
