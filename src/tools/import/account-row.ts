// Converts an account of the old system to a row of the new table, or says why it cannot.
import { z } from 'zod'
import { foldName, noPassword } from '../../accounts/account.ts'
import { parseDjangoHash } from '../../accounts/django-password.ts'
import { foldEmail } from '../../accounts/email.ts'
import { signUpBody } from '../../accounts/schema.ts'
import { text } from '../../http/openapi/fields.ts'
import { type Converted, explain, type Values, withDefault } from './converted.ts'
import { booleanField, idField, timeField } from './fields.ts'

export type NewAccount = {
  old_id: number
  username: string
  username_key: string
  email: string
  /** null if there is no e-mail address */
  email_key: string | null
  first_name: string
  last_name: string
  password_hash: string
  is_active: boolean
  date_joined: string | null
  last_login: string | null
}

const person = signUpBody.out
  .pick({ username: true, first_name: true, last_name: true })
  .extend({ email: text(0, 254) }) // the old system required no e-mail address, and had fewer checks

function accountSchema(timeZone: string | undefined) {
  const time = timeField(timeZone).nullable()
  return z.object({
    ...person.shape,
    id: idField,
    is_active: booleanField,
    is_staff: booleanField.nullish(),
    is_superuser: booleanField.nullish(),
    date_joined: time,
    last_login: time,
  })
}

/** @returns a function that converts rows of `accounts` */
export function accountConverter(timeZone: string | undefined): (values: Values) => Converted<NewAccount> {
  const schema = accountSchema(timeZone)
  return (values) => {
    const parsed = schema.safeParse({
      ...values,
      ...withDefault(values, '', 'username', 'email', 'first_name', 'last_name'),
      ...withDefault(values, null, 'date_joined', 'last_login'),
    })
    return parsed.success ? toAccount(parsed.data, values.password ?? '') : { fault: explain(parsed.error) }
  }
}

type OldAccount = z.infer<ReturnType<typeof accountSchema>>

function toAccount(account: OldAccount, password: string): Converted<NewAccount> {
  const { id, username, first_name, last_name, is_active, date_joined, last_login } = account
  const email = account.email.trim()
  const hasPassword = parseDjangoHash(password) !== undefined
  const isEmail = signUpBody.out.shape.email.safeParse(email).success
  return {
    row: {
      old_id: id,
      username,
      username_key: foldName(username),
      email,
      // Not unique: the old system let many accounts have the same text here.
      email_key: isEmail ? foldEmail(email) : null,
      first_name,
      last_name,
      password_hash: hasPassword ? password : noPassword,
      is_active,
      date_joined,
      last_login,
    },
    notes: [
      // The old system's migrations made administrators with known passwords.
      ...(account.is_staff || account.is_superuser
        ? [`${username} is no longer staff; to change that: npm run staff -- ${username}`]
        : []),
      ...(email !== '' && !isEmail ? [`${username} keeps ${email}, which is not an e-mail address`] : []),
      ...(hasPassword
        ? []
        : [
            `${username} cannot log in: the password is not stored as pbkdf2_sha256; ` +
              `to create a new one: npm run staff -- ${username} --reset-password`,
          ]),
    ],
  }
}
