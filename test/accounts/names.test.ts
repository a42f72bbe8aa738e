// Names and e-mail addresses: which are the same, and which are accepted.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldName, mixesAlphabets } from '../../src/accounts/account.ts'
import { foldEmail, isEmail } from '../../src/accounts/email.ts'
import { signUpBody } from '../../src/accounts/schema.ts'

const valid = { username: 'kim', password: 'four columns hold it', email: 'kim@example.com' }
const signUp = (change: object) => signUpBody.safeParse({ ...valid, ...change })

describe('the key of a name', () => {
  test.each([
    ['Kim', 'ＫＩＭ'],
    ['ΝΙΚΟΣ', 'νικος'],
    ['νικοσ', 'νικος'],
    ['ΣΑΣ.ΣΑΣ', 'σας.σας'],
    ['Ǆ', 'ǆ'],
    ['김민지'.normalize('NFD'), '김민지'],
    ['İpek', 'i̇pek'],
  ])('is the same for %s and %s', (one, other) => {
    expect(foldName(one)).toBe(foldName(other))
  })

  test.each([
    ['kim', 'kin'],
    ['resume', 'résumé'],
    ['김', '감'],
  ])('differs for %s and %s', (one, other) => {
    expect(foldName(one)).not.toBe(foldName(other))
  })

  test('does not depend on case or on the normal form, and is its own key', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'aZéΣσςЖжǅ김ﬁＫ1._') })
    fc.assert(
      fc.property(letters, fc.string({ unit: 'binary' }), (name, any) => {
        expect(foldName(name.toUpperCase())).toBe(foldName(name))
        for (const text of [name, any]) {
          const key = foldName(text)
          for (const same of [key, text.toLowerCase(), text.normalize('NFD'), text.normalize('NFC')]) {
            expect(foldName(same)).toBe(key)
          }
        }
      }),
    )
  })
})

describe('a username', () => {
  test.each(['kim.minji', '김민지', 'Ἀθηνᾶ', 'иван', '김minji', '김иван', 'r2-d2+@', ' kim '])(
    '%j is accepted',
    (username) => {
      expect(signUp({ username }).data?.username).toBe(username.trim().normalize('NFC'))
    },
  )

  test.each([
    'раypal',
    'pаypal',
    'αdmin',
    'adminΩ',
    'µm',
    'kim\u3164',
    '\u115f',
    '\u1160kim',
    'kim\uffa0',
    'kim\u200b',
    'ki\u00adm',
    'kim minji',
    '',
    ' ',
  ])('%j is refused', (username) => {
    expect(signUp({ username }).success).toBe(false)
  })

  test('in NFD is stored in NFC, and its length is counted in NFC', () => {
    const name = '각'.repeat(150)
    expect(signUp({ username: name.normalize('NFD') }).data?.username).toBe(name)
    expect(signUp({ username: `${name}각`.normalize('NFD') }).success).toBe(false)
  })

  test('mixes alphabets if and only if it has letters of both', () => {
    const latin = fc.constantFrom('a', 'Z', 'é', 'Ｋ')
    const other = fc.constantFrom('а', 'Ж', 'α', 'Ω', 'µ')
    const neither = fc.string({ unit: fc.constantFrom('1', '.', '김', '_') })
    fc.assert(
      fc.property(latin, other, neither, (one, another, rest) => {
        expect(mixesAlphabets(`${one}${rest}${another}`)).toBe(true)
        expect(mixesAlphabets(`${another}${rest}${one}`)).toBe(true)
        for (const pure of [one, another]) expect(mixesAlphabets(`${rest}${pure}${rest}${pure}`)).toBe(false)
      }),
    )
  })
})

const hangul = 'kim@회사.한국'
const punycode = 'kim@xn--vf4b131b.xn--3e0b707e'

describe('an e-mail address', () => {
  test.each([
    'r&d@example.com',
    "o'neil+moulds@mail.example.co.kr",
    'a@b.kr',
    '!#$%&*/=?^_`{|}~-@example.com',
    hangul,
    punycode,
    'KIM@회사.COM',
    'x@1.example.com',
    `kim@${'a'.repeat(63)}.kr`,
  ])('%s is accepted', (email) => {
    expect(signUp({ email }).data?.email).toBe(email)
  })

  test.each([
    'kim',
    'kim@',
    '@example.com',
    'kim@example',
    'kim@-example.com',
    'kim@example-.com',
    'kim@example..com',
    'kim@example.com.',
    'kim@127.0.0.1',
    'kim@[127.0.0.1]',
    'kim@exa_mple.com',
    'kim@example.com/x',
    'kim@example.com:80',
    'kim@lee@example.com',
    '.kim@example.com',
    'kim.@example.com',
    'k..m@example.com',
    'k m@example.com',
    '김@example.com',
    'kim@xn--.com',
    `kim@${'a'.repeat(64)}.kr`,
  ])('%s is refused', (email) => {
    expect(isEmail(email)).toBe(false)
    expect(signUp({ email }).success).toBe(false)
  })

  test('has one key in any case and with the domain in letters or in punycode', () => {
    expect(foldEmail(hangul)).toBe(punycode)
    for (const same of [punycode.toUpperCase(), hangul.normalize('NFD'), hangul.toUpperCase()]) {
      expect(foldEmail(same)).toBe(punycode)
    }
  })

  test('of ASCII characters is accepted if a browser and Django accept it', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        expect(isEmail(email)).toBe(true)
      }),
    )
  })
})
