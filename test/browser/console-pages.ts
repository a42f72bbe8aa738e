// What the tests of the console do in a browser: open a screen, read a text of the page.
import type { Page } from 'playwright-core'
import { texts } from '../../src/console/texts.ts'
import type { World } from '../harness.ts'

export { openConsole as signIn } from './visit.ts'

export type TextName = keyof typeof texts
export type Say = (name: TextName, values?: Record<string, string | number>) => string

/** The texts of one language, as the console shows them. */
export function sayIn(language: 'ko' | 'en'): Say {
  return (name, values = {}) =>
    texts[name][language === 'ko' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}

export async function openMachine(page: Page, world: World, { id }: { id: number }): Promise<void> {
  await page.goto(`${world.url}/#/machines/${id}`)
  await page.locator('.operate').waitFor()
}
