// The console: starts it in the page.
import { render } from 'hono/jsx/dom'
import { App } from './app.tsx'
import { startClock } from './clock.ts'
import { keepFocus } from './focus.ts'
import { language } from './language.ts'
import { watchConnection } from './network.ts'
import { startRouter } from './router.ts'
import { startScroll } from './scroll.ts'
import { startSession } from './session.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'
import './styles/messages.css'
import './styles/status.css'
import './styles/board.css'
import './styles/machine.css'
import './styles/jobs.css'
import './styles/bar.css'
import './styles/rows.css'
import './styles/loading.css'
import { applyTheme } from './theme.ts'

const root = document.getElementById('console')
if (root) {
  keepFocus(root)
  applyTheme()
  document.documentElement.lang = language.get()
  startRouter()
  startScroll()
  startClock()
  watchConnection()
  void startSession() // before the first rendering, so that without a session that is the sign-in
  render(<App />, root)
}
