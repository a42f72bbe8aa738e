// Light or dark: as the system is set, or as the user has chosen.
import { readSetting, writeSetting } from './settings.ts'
import { createStore } from './state.ts'

const key = 'tiebar.theme'
export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export const theme = createStore<Theme>(themes.find((each) => each === readSetting(key)) ?? 'system')

export function setTheme(next: Theme): void {
  writeSetting(key, next === 'system' ? undefined : next)
  theme.set(next)
  applyTheme()
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.get()
}
