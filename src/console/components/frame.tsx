// The frame of all screens: header with navigation, choices, and who is signed in.
import type { User } from '../../client/api.ts'
import { type ScreenName, toHash } from '../address.ts'
import { setLanguage, text, useLanguage } from '../language.ts'
import { route } from '../router.ts'
import { signOut } from '../session.ts'
import { useStore } from '../state.ts'
import { languages } from '../texts.ts'
import { setTheme, theme, themes } from '../theme.ts'
import { ConnectionBanner } from './connection.tsx'

const navigation = [
  ['board', 'nav_board'],
  ['sites', 'nav_sites'],
  ['me', 'nav_me'],
] as const
const staffNavigation = [['accounts', 'nav_accounts']] as const

/** @param user `unknown` while the session starts */
export function Frame({ user, children }: { user?: User | 'unknown'; children?: unknown }) {
  return (
    <>
      <button type="button" class="button skip" onClick={() => document.getElementById('content')?.focus()}>
        {text('skip_to_content')}
      </button>
      <header class="top">
        <a class="brand" href={toHash('board')}>
          <Logo />
          <span>{text('app')}</span>
        </a>
        {user && <Navigation isStaff={user !== 'unknown' && user.is_staff} />}
        <div class="top-end">
          <LanguageSwitch />
          <ThemeSwitch />
          {user && (
            <button type="button" class="button is-quiet" onClick={() => void signOut()}>
              {text('sign_out')}
            </button>
          )}
        </div>
      </header>
      <ConnectionBanner />
      <main id="content" tabindex={-1}>
        {children}
      </main>
    </>
  )
}

function Navigation({ isStaff }: { isStaff: boolean }) {
  const { screen } = useStore(route)
  const items: readonly (readonly [ScreenName, 'nav_board' | 'nav_sites' | 'nav_me' | 'nav_accounts' | 'nav_audit'])[] =
    [...navigation, ...(isStaff ? staffNavigation : []), ['audit', 'nav_audit']]
  return (
    <nav class="nav" aria-label={text('main_navigation')}>
      {items.map(([name, label]) => (
        <a key={name} class="nav-link" href={toHash(name)} {...(screen === name && { 'aria-current': 'page' })}>
          {text(label)}
        </a>
      ))}
    </nav>
  )
}

function LanguageSwitch() {
  const current = useLanguage()
  return (
    <label class="switch">
      <span class="visually-hidden">{text('language')}</span>
      <select
        class="input is-small"
        value={current}
        onChange={(event: Event) => {
          const { value } = event.currentTarget as HTMLSelectElement
          setLanguage(languages.find((each) => each === value) ?? 'en')
        }}
      >
        {languages.map((each) => (
          <option key={each} value={each} lang={each} selected={each === current}>
            {text(`language_${each}`)}
          </option>
        ))}
      </select>
    </label>
  )
}

function ThemeSwitch() {
  const current = useStore(theme)
  return (
    <label class="switch">
      <span class="visually-hidden">{text('theme')}</span>
      <select
        class="input is-small"
        value={current}
        onChange={(event: Event) => {
          const { value } = event.currentTarget as HTMLSelectElement
          setTheme(themes.find((each) => each === value) ?? 'system')
        }}
      >
        {themes.map((each) => (
          <option key={each} value={each} selected={each === current}>
            {text(`theme_${each}`)}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="logo-ground" />
      <path d="M6 9h20M6 23h20" class="logo-plates" />
      <path d="M9 6v20M23 6v20" class="logo-bars" />
    </svg>
  )
}
