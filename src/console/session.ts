// The session of the user, and the client that uses its tokens.
import type * as api from '../client/api.ts'
import { createClient, TiebarProblem } from '../client/client.ts'
import { serverNow } from './clock.ts'
import { fetchWithEtag, forgetEtags, openStream, timedFetch } from './network.ts'
import { forgetPeople } from './people.ts'
import { createStore } from './state.ts'
import type { TextKey } from './texts.ts'
import * as tokens from './tokens.ts'

export type Session =
  | { state: 'starting' }
  | { state: 'signedOut'; notice?: TextKey }
  | { state: 'signedIn'; user: api.User }

export const session = createStore<Session>({ state: 'starting' })

/** These are called without a token. */
const open = ['/api/log-in', '/api/sign-up', '/api/password-reset', '/api/token/refresh', '/api/health']

export const client = createClient({
  baseUrl: location.origin,
  retries: 2,
  longestWaitSeconds: 3,
  fetch: (request) => (isOpen(request) ? timedFetch(request) : fetchSigned(request)),
})

const isOpen = ({ url }: Request) => open.includes(new URL(url).pathname)

async function fetchSigned(request: Request): Promise<Response> {
  const send = senderOf(request)
  const access = await needAccess()
  const first = await send(withToken(request, access))
  if (first.status !== 401) return first
  const { code } = await readCode(first)
  if (code === 'token_invalid') {
    return send(withToken(request, await needAccess(access)))
  }
  if (code === 'session_ended') endSession('session_ended')
  return first
}

function senderOf({ method, headers }: Request): (request: Request) => Promise<Response> {
  if (headers.get('Accept') === 'text/event-stream') return openStream
  return method === 'GET' ? (each) => fetchWithEtag(each, timedFetch) : timedFetch
}

async function readCode(response: Response): Promise<{ code?: unknown }> {
  return response
    .clone()
    .json()
    .catch(() => ({}))
}

function withToken(request: Request, access: string): Request {
  const signed = new Request(request.clone())
  signed.headers.set('Authorization', `Bearer ${access}`)
  return signed
}

/**
 * @param refused a token that the API has refused, whatever its time says
 * @throws TiebarProblem when the session has ended
 */
async function needAccess(refused?: string): Promise<string> {
  const current = tokens.getAccess(serverNow())
  if (current !== undefined && current !== refused) return current
  await tokens.withRefreshLock(() => refresh(refused))
  const access = tokens.getAccess(serverNow(), 0)
  if (access !== undefined) return access
  throw new TiebarProblem(new Response(null, { status: 401 }), undefined)
}

async function refresh(refused: string | undefined): Promise<void> {
  await tokens.askOtherTabs()
  const refreshToken = tokens.getRefresh()
  const current = tokens.getAccess(serverNow())
  if (refreshToken === undefined || (current !== undefined && current !== refused)) return
  try {
    const { token } = await client.ask('refreshToken', { body: { refresh: refreshToken } })
    tokens.putTokens(token)
  } catch (error) {
    // An answer without a code is from a proxy, which knows nothing about the session.
    if (error instanceof TiebarProblem && error.status === 401 && error.code !== 'unknown') endSession('session_ended')
    throw error
  }
}

/** Refreshes in time, so that a STOP never waits for a new token. */
const earlySeconds = 300
const checkEveryMs = 60_000

async function keepFresh(): Promise<void> {
  if (tokens.getRefresh() === undefined || tokens.getAccess(serverNow(), earlySeconds) !== undefined) return
  await needAccess(tokens.getAccess(serverNow(), 0)).catch(() => {}) // the next request tries again and says what is wrong
}

export async function startSession(): Promise<void> {
  tokens.watchOtherTabs(() => endSession('signed_out_elsewhere'))
  setInterval(() => void keepFresh(), checkEveryMs)
  if (tokens.getRefresh() === undefined) return session.set({ state: 'signedOut' })
  await resume()
}

const againMs = 2_000

/** Without an answer it tries again, because the session may be valid. */
async function resume(): Promise<void> {
  try {
    session.set({ state: 'signedIn', user: await client.me.read() })
  } catch (error) {
    if (session.get().state !== 'starting') return
    const isRefused = error instanceof TiebarProblem && error.status === 401
    if (isRefused) session.set({ state: 'signedOut' })
    else setTimeout(() => void resume(), againMs)
  }
}

export async function signIn(credentials: api.LogIn): Promise<void> {
  enter(await client.ask('logIn', { body: credentials }))
}

/** Known only after a sign-up was refused. The page then no longer offers it. */
export const isSignUpClosed = createStore(false)

export async function signUp(details: api.SignUp): Promise<void> {
  try {
    enter(await client.ask('signUp', { body: details }))
  } catch (error) {
    if (error instanceof TiebarProblem && error.code === 'sign_up_closed') isSignUpClosed.set(true)
    throw error
  }
}

function enter({ user, token }: api.SignedIn): void {
  forgetEtags()
  tokens.putTokens(token)
  session.set({ state: 'signedIn', user })
}

function endSession(notice: TextKey): void {
  if (session.get().state === 'signedOut') return
  tokens.dropTokens()
  forgetEtags()
  forgetPeople()
  session.set({ state: 'signedOut', notice })
}

/** @throws TiebarProblem when it is refused */
export async function deleteAccount(currentPassword: string): Promise<void> {
  await client.ask('deleteMe', { body: { current_password: currentPassword } })
  endSession('account_deleted')
}

/** Signs out here even if the server cannot be reached. */
export async function signOut(): Promise<void> {
  await client.ask('logOut', {}).catch(() => {})
  endSession('signed_out')
}
