// The language of the page: by the browser's settings, or as the user has chosen.
import { readSetting, writeSetting } from './settings.ts'
import { createStore, useStore } from './state.ts'
import { type Language, languages, type TextKey, texts } from './texts.ts'

const key = 'tiebar.language'

function chooseLanguage(): Language {
  const stored = readSetting(key)
  const wanted = [stored, ...navigator.languages].map((each) => each?.slice(0, 2).toLowerCase())
  return languages.find((each) => each === wanted.find((one) => languages.some((known) => known === one))) ?? 'en'
}

export const language = createStore<Language>(chooseLanguage())

export function setLanguage(next: Language): void {
  writeSetting(key, next)
  language.set(next)
  document.documentElement.lang = next
}

export type Values = Record<string, string | number>

/** The text in the chosen language. `{name}` stands for a value. */
export function text(name: TextKey, values: Values = {}): string {
  const [korean, english] = texts[name]
  const template = language.get() === 'ko' ? korean : english
  return template.replace(/\{(\w+)\}/g, (whole, value: string) => String(values[value] ?? whole))
}

/** Makes a component render again when the language changes. */
export function useLanguage(): Language {
  return useStore(language)
}
