// Shows the screen of the address, or the sign-in.
import { useLayoutEffect } from 'hono/jsx/dom'
import { type Route, toHash } from './address.ts'
import { Frame } from './components/frame.tsx'
import { Empty, Screen } from './components/screen.tsx'
import { text, useLanguage } from './language.ts'
import { startLive } from './live.ts'
import { route } from './router.ts'
import { AccountsScreen } from './screens/accounts.tsx'
import { AuditScreen } from './screens/audit.tsx'
import { BoardScreen } from './screens/board.tsx'
import { MachineScreen } from './screens/machine.tsx'
import { MeScreen } from './screens/me.tsx'
import { NewMachineScreen } from './screens/new-machine.tsx'
import { ResetScreen, SignInScreen, SignUpScreen } from './screens/sign-in.tsx'
import { SiteScreen, SitesScreen } from './screens/sites.tsx'
import { session } from './session.ts'
import { useStore } from './state.ts'

export function App() {
  useLanguage()
  const current = useStore(session)
  const place = useStore(route)
  const isSignedIn = current.state === 'signedIn'
  useLayoutEffect(() => {
    if (!isSignedIn) return
    const live = new AbortController()
    startLive(live.signal)
    return () => live.abort()
  }, [isSignedIn])
  if (current.state === 'signedOut') return <Frame>{chooseOpenScreen(place, current.notice)}</Frame>
  // While the session starts, the screen is there already and waits with its reads: so nothing moves when it is known.
  return <Frame user={current.state === 'signedIn' ? current.user : 'unknown'}>{chooseScreen(place)}</Frame>
}

function chooseOpenScreen({ screen, query }: Route, notice: Parameters<typeof SignInScreen>[0]['notice']) {
  if (screen === 'signUp') return <SignUpScreen key="signUp" />
  if (screen === 'reset') return <ResetScreen key="reset" token={query.token} />
  return <SignInScreen key="signIn" notice={notice} />
}

function chooseScreen({ screen, id = 0 }: Route) {
  switch (screen) {
    case 'board':
    case 'signUp':
    case 'reset':
      return <BoardScreen key="board" />
    case 'machine':
      return <MachineScreen key={`machine-${id}`} id={id} />
    case 'newMachine':
      return <NewMachineScreen key="newMachine" />
    case 'sites':
      return <SitesScreen key="sites" />
    case 'site':
      return <SiteScreen key={`site-${id}`} id={id} />
    case 'me':
      return <MeScreen key="me" />
    case 'accounts':
      return <AccountsScreen key="accounts" />
    case 'audit':
      return <AuditScreen key="audit" />
    default:
      return <NotFound key="notFound" />
  }
}

function NotFound() {
  return (
    <Screen title={text('not_found_title')}>
      <Empty title={text('not_found_title')} detail={text('not_found_detail')}>
        <a class="button is-primary" href={toHash('board')}>
          {text('to_board')}
        </a>
      </Empty>
    </Screen>
  )
}
