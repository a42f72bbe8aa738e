// Asks for the current password before a change that nobody may make with a stolen access token alone.
import type { AppContext } from '../http/context.ts'
import { passwordRequired, wrongPassword } from './account.ts'
import { checkPassword } from './check-password.ts'
import { countOfAddress } from './limits.ts'
import type { OwnCredentials } from './sql/profile.ts'

/**
 * @param own the credentials of the caller, whose account is active: `readOwnCredentials` throws for a disabled one
 * @throws TiebarError `validation_failed` if there is no password, `wrong_password`, `rate_limited`
 */
export async function confirmPassword(
  c: AppContext,
  { username_key, password_hash }: OwnCredentials,
  currentPassword: string | undefined,
): Promise<void> {
  if (currentPassword === undefined) throw passwordRequired()
  await countOfAddress(c, 'password-checks')
  const find = async () => ({ password_hash, is_active: true })
  if (!(await checkPassword(c, username_key, currentPassword, find))) throw wrongPassword()
}
