// The tokens of the session. The access token stays in memory, the refresh token in sessionStorage. Tabs that were
// duplicated have the same session: they share new tokens, and only one of them refreshes at a time.
export type Tokens = { access: string; refresh: string }
type Claims = { sid: string; exp: number; iat: number }
type Message =
  | { type: 'ask'; sid: string }
  | { type: 'tokens'; sid: string; tokens: Tokens }
  | { type: 'ended'; sid: string }

const storageKey = 'tiebar.refresh'
const answerTimeoutMs = 120

let access: string | undefined
const channel = new BroadcastChannel('tiebar.session')
let onEnded = () => {}
let wakeWaiting = () => {}

function readClaims(token: string): Claims {
  const [, payload = ''] = token.split('.')
  const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes)) as Claims // our server has signed it
}

export const getRefresh = () => sessionStorage.getItem(storageKey) ?? undefined
const currentSid = () => {
  const refresh = getRefresh()
  return refresh === undefined ? undefined : readClaims(refresh).sid
}

/** The access token, unless it expires within `seconds`. */
export function getAccess(nowMs: number, seconds = 60): string | undefined {
  if (access === undefined || readClaims(access).exp * 1_000 < nowMs + seconds * 1_000) return undefined
  return access
}

/** Keeps tokens, and sends them to the other tabs of the session. */
export function putTokens(tokens: Tokens): void {
  keep(tokens)
  post({ type: 'tokens', sid: readClaims(tokens.refresh).sid, tokens })
}

function keep(tokens: Tokens): void {
  access = tokens.access
  sessionStorage.setItem(storageKey, tokens.refresh)
}

/** Ends the session in this tab, and tells the other tabs of the session. */
export function dropTokens(): void {
  const sid = currentSid()
  access = undefined
  sessionStorage.removeItem(storageKey)
  if (sid !== undefined) post({ type: 'ended', sid })
}

const post = (message: Message) => channel.postMessage(message)

/** Another tab of the session may have newer tokens. */
export function askOtherTabs(): Promise<void> {
  const sid = currentSid()
  if (sid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, answerTimeoutMs)
    wakeWaiting = () => {
      clearTimeout(timer)
      resolve()
    }
    post({ type: 'ask', sid })
  })
}

function receive(message: Message): void {
  const refresh = getRefresh()
  if (refresh === undefined || message.sid !== readClaims(refresh).sid) return
  if (message.type === 'ask' && access !== undefined) {
    post({ type: 'tokens', sid: message.sid, tokens: { access, refresh } })
  }
  if (message.type === 'tokens' && readClaims(message.tokens.refresh).iat >= readClaims(refresh).iat) {
    keep(message.tokens)
    wakeWaiting()
  }
  if (message.type === 'ended') {
    access = undefined
    sessionStorage.removeItem(storageKey)
    onEnded()
  }
}

export function watchOtherTabs(ended: () => void): void {
  onEnded = ended
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => receive(data))
}

/** Runs in one tab of the session at a time. */
export function withRefreshLock<Result>(run: () => Promise<Result>): Promise<Result> {
  return navigator.locks.request(`tiebar.refresh.${currentSid()}`, run) as Promise<Result> // its type has no result
}
