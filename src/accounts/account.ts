// Rules for accounts: names are compared regardless of case, and weak passwords are refused.
import { TiebarError } from '../kernel/error.ts'

/**
 * The key for uniqueness and log-in. Names that differ only in case or in compatibility characters have the same key:
 * `Kim` and `ＫＩＭ`, `ΝΙΚΟΣ` and `νικος`. Independent of the database's locale.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ') // ς is a σ at the end of a word
}

/** Whether a name has Latin letters together with Cyrillic or Greek ones, many of which look alike. */
export function mixesAlphabets(name: string): boolean {
  const plain = name.normalize('NFKC')
  return /\p{Script=Latin}/u.test(plain) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(plain)
}

/** The most common passwords of ten characters and more, from public lists of leaked passwords. */
const commonPasswords = new Set([
  'password12',
  'password123',
  'password1234',
  'password!1',
  'passw0rd123',
  'passwordpassword',
  'qwertyuiop',
  'qwerty1234',
  'qwerty12345',
  'qwerty123456',
  '1q2w3e4r5t',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'q1w2e3r4t5',
  'q1w2e3r4t5y6',
  'zaq12wsxcde3',
  'asdfghjkl1',
  'asdfghjkl;',
  'zxcvbnm123',
  'abcdefghij',
  'abcdefghijk',
  'abcd123456',
  'abc1234567',
  'a123456789',
  'a1234567890',
  'aa12345678',
  'aaaaaaaaaa',
  '123456789a',
  '1234567890a',
  '123qweasdzxc',
  'iloveyou12',
  'iloveyou123',
  'letmein123',
  'letmein1234',
  'welcome123',
  'welcome1234',
  'administrator',
  'admin12345',
  'admin123456',
  'changeme123',
  'football123',
  'baseball123',
  'sunshine123',
  'princess123',
  'superman123',
  'michael123',
  'dragon12345',
  'monkey12345',
  'trustno1234',
  'google12345',
  'samsung123',
  'korea12345',
  'qwer1234!!',
  'qwer123456',
  'asdf123456',
  'tkfkdgo123',
  'dkssud1234',
])

/** Stored instead of a hash for an account without a password. No password matches it. */
export const noPassword = '!'

/**
 * @returns why the password is too weak for this account; undefined if it is acceptable. The schema checks the length.
 */
export function findPasswordFault(password: string, username: string, email: string): string | undefined {
  if (/^\p{Nd}+$/u.test(password)) return 'must not consist of digits only'
  const folded = foldName(password)
  if (folded === foldName(username)) return 'must not be the username'
  if (folded === foldName(email)) return 'must not be the e-mail address'
  if (commonPasswords.has(folded)) return 'is one of the most common passwords'
  return undefined
}

/** For a password that replaces another one. @throws TiebarError `validation_failed` for `new_password` */
export function checkNewPassword(password: string, { username, email }: { username: string; email: string }): void {
  const fault = findPasswordFault(password, username, email)
  if (fault === undefined) return
  throw new TiebarError('validation_failed', 'The new password is too weak.', {
    errors: [{ pointer: '/new_password', detail: fault }],
  })
}

export function takenProblem(field: 'username' | 'email'): TiebarError {
  const what = field === 'username' ? 'username' : 'e-mail address'
  return new TiebarError(`${field}_taken`, `This ${what} is already taken. Names are compared regardless of case.`, {
    errors: [{ pointer: `/${field}`, detail: 'is taken' }],
  })
}

/** The error if the body has no `current_password`, for a change that an access token alone does not allow. */
export function passwordRequired(): TiebarError {
  return new TiebarError('validation_failed', 'This change needs the current password of your account.', {
    errors: [{ pointer: '/current_password', detail: 'is required' }],
  })
}

/** Not 401: the token is valid, and a client would refresh it and try again. The password is a field of the body. */
export function wrongPassword(): TiebarError {
  return new TiebarError('wrong_password', 'The current password is wrong.', {
    errors: [{ pointer: '/current_password', detail: 'is wrong' }],
  })
}
