// Errors of access: who is calling, what the caller may do, and what the caller cannot see.
import { kind } from './kind.ts'

export const accessErrors = {
  token_missing: kind(401, 'A token is required', {
    meaning: 'The operation requires a token, and the request has none.',
    why: 'The Authorization header is absent.',
    remedy: 'Log in, and send the access token as `Authorization: Bearer TOKEN`.',
  }),
  token_invalid: kind(401, 'The token is not valid', {
    meaning: 'The request has a token that is not valid for this operation.',
    why: 'The token has expired, was altered, or is of another kind (a refresh token is not an access token), or the Authorization header is not written as `Bearer TOKEN`.',
    remedy: 'Get a new access token from `POST /api/token/refresh`, or log in again.',
  }),
  session_ended: kind(401, 'The session has ended', {
    meaning: 'The signature of the token is valid, but its session has ended.',
    why: 'The user logged out, changed the password, or ended the session; an old refresh token was used again; or the account was disabled.',
    remedy: 'Log in again. If you do not know why the session ended, change the password.',
  }),
  hold_of_other: kind(403, 'The hold was placed by somebody else', {
    meaning: 'The hold was not removed.',
    why: 'A hold says that its account is at the machine. Only this account knows when that is over.',
    remedy:
      'Ask that person. If that person cannot be reached and nobody is at the machine, a manager may override the hold.',
  }),
  key_invalid: kind(401, 'The API key is not valid', {
    meaning: 'The request has an API key that is not valid.',
    why: 'The key has been revoked or has expired, the account that created it is disabled, or the text is not the whole key.',
    remedy: 'Compare the key with the one that `POST /api/keys` answered. `GET /api/keys` shows which keys are valid.',
  }),
  bad_credentials: kind(401, 'Wrong username or password', {
    meaning: 'The log-in failed.',
    why: 'The username or the password is wrong, or the account is disabled. The answer does not say which.',
    remedy: 'Check both. Failed log-ins are counted, and too many are answered with 429.',
  }),
  refresh_reused: kind(401, 'The refresh token was already used', {
    meaning: 'The refresh token was already exchanged, so its session has been ended.',
    why: 'A refresh token can be used once, and for 10 s more until the next one is used. Another use means that the token was copied, or that a client kept an old one (RFC 9700 §4.14.2).',
    remedy: 'Log in again, and keep the newest refresh token of each answer.',
  }),
  bad_signature: kind(401, 'The signature is not valid', {
    meaning: 'The message does not come from the queue, so it was not processed.',
    why: 'The Upstash-Signature header is absent or expired, or was made with other keys or for another URL or body.',
    remedy:
      'Only QStash can call this operation. If the request came from QStash, compare the signing keys and the public URL of the server with those in QStash.',
  }),
  not_owner: kind(403, 'You have no role on the machine', {
    meaning: 'The machine belongs to another account, and you have no role on it. Nothing was sent to it.',
    why: 'Only the owner of a machine, its members and staff may change it, operate it, or read its history.',
    remedy: 'Ask the owner or a manager of the machine for a role.',
  }),
  role_too_low: kind(403, 'Your role does not allow this', {
    meaning: 'You have a role on the machine or the site, but this needs a higher one. Nothing was changed.',
    why: 'Viewers read, operators also send commands, and managers also change settings and members.',
    remedy: 'Ask a manager for a higher role, or to do it. `my_role` shows your role.',
  }),
  sign_up_closed: kind(403, 'Nobody can sign up here', {
    meaning: 'The server does not accept sign-ups. No account was created.',
    why: 'Its operator has set `SIGN_UP` to `closed`.',
    remedy: 'Ask a staff member for an account. You get a token for setting your password.',
  }),
  staff_only: kind(403, 'Only staff may do this', {
    meaning: 'The operation is for staff only.',
    why: 'The account has no staff rights, or has lost them.',
    remedy: 'Ask a staff member.',
  }),
  scope_missing: kind(403, 'The API key lacks a scope', {
    meaning: 'The API key is valid, but it has no scope that the operation needs. Nothing was changed.',
    why: 'A key may do only what its scopes name. `detail` names the scope.',
    remedy: 'Create a key with this scope. The scopes of a key cannot be changed.',
  }),
  key_required: kind(403, 'Only an API key can do this', {
    meaning: 'The operation is for machines and programs, which have an API key. Nothing was changed.',
    why: 'A report comes from the machine itself. A person sets `status` with PATCH.',
    remedy: 'Create a key with the scope `report` for the machine or its site, and send that key.',
  }),
  key_not_allowed: kind(403, 'An API key cannot do this', {
    meaning: 'The operation is not open to the API key. Nothing was changed.',
    why: 'A key cannot create keys, members or accounts, and cannot read or change the account that it acts for. A key that is limited to a machine or a site cannot register machines elsewhere.',
    remedy: 'Log in, and send the access token instead.',
  }),
  not_found: kind(404, 'Not found', {
    meaning: 'Nothing exists at this path, or nothing that you are allowed to see.',
    why: 'The path is misspelled, the object was deleted, or no object that you are allowed to see has this id.',
    remedy: 'Compare the path with the documentation. The lists of objects show their ids.',
  }),
  no_such_account: kind(404, 'There is no such account', {
    meaning: 'No active account has this username. Nothing was changed.',
    why: 'The username is misspelled, or the account was disabled or deleted.',
    remedy: 'Ask the person for the username. `GET /api/me` shows it to that person.',
  }),
  no_such_site: kind(404, 'There is no such site', {
    meaning: 'The site in the body does not exist, or you have no role on it. Nothing was changed.',
    why: 'The id is wrong, the site was deleted, or your role was taken away.',
    remedy: 'Compare `site_id` with the list of your sites, `GET /api/sites`.',
  }),
}
