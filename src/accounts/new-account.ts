// An account as it is stored, from a sign-up or from staff.
import type { UniqueViolation } from '../infra/database-error.ts'
import type { TiebarError } from '../kernel/error.ts'
import { foldName, takenProblem } from './account.ts'
import { foldEmail } from './email.ts'
import type { NewAccount } from './sql/sign-in.ts'

type Details = { username: string; email: string; first_name: string; last_name: string }

export function toNewAccount({ username, email, first_name, last_name }: Details): NewAccount {
  return {
    username,
    usernameKey: foldName(username),
    email,
    emailKey: foldEmail(email),
    firstName: first_name,
    lastName: last_name,
  }
}

/** The error if another account took the username or the e-mail address meanwhile. */
export function takenBy({ constraint }: UniqueViolation): TiebarError {
  return takenProblem(constraint === 'accounts_email_key_unique' ? 'email' : 'username')
}
