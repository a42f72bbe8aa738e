// The pure rules: which names are the same, and which passwords are refused.
import { describe, expect, test } from 'vitest'
import { findPasswordFault, foldName } from '../../src/accounts/account.ts'

describe('foldName', () => {
  test.each([
    ['capitals', 'Kim.MinJi', 'kim.minji'],
    ['full width', 'ＫＩＭ１', 'kim1'],
    ['a ligature', 'oﬃce', 'office'],
    ['Hangul in parts', '김민지'.normalize('NFD'), '김민지'],
    ['the Kelvin sign', '\u212Aim', 'kim'],
    ['an accent in parts', 'e\u0301', '\u00e9'],
  ])('treats %s as the same name', (_what, name, folded) => {
    expect(foldName(name)).toBe(folded)
  })

  test.each([
    ['ß and ss', 'straße', 'strasse'],
    ['a dotless i', 'kım', 'kim'],
    ['Cyrillic а', 'kаte', 'kate'],
  ])('treats %s as different names', (_what, one, other) => {
    expect(foldName(one)).not.toBe(foldName(other))
  })
})

describe('findPasswordFault', () => {
  test.each([
    ['digits only', '8273645102', /digits only/],
    ['digits of another script', '٨٢٧٣٦٤٥١٠٢', /digits only/],
    ['the username', 'minji.kim.470', /username/],
    ['the username in capitals', 'MINJI.KIM.470', /username/],
    ['the e-mail address', 'minji@example.com', /e-mail/],
    ['the e-mail address in full width', 'ｍｉｎｊｉ@example.com', /e-mail/],
    ['one of the most common', 'password123', /most common/],
    ['one of the most common in capitals', 'PassWord123', /most common/],
  ])('refuses %s', (_what, password, fault) => {
    expect(findPasswordFault(password, 'Minji.Kim.470', 'Minji@Example.com')).toMatch(fault)
  })

  test.each(['four columns hold it', '비밀번호는열글자이상', 'minji.kim.4700', '82736451O2', '🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑'])(
    'takes %s',
    (password) => {
      expect(findPasswordFault(password, 'Minji.Kim.470', 'Minji@Example.com')).toBeUndefined()
    },
  )
})
