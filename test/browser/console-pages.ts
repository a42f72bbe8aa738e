// What the tests of the console do in a browser: sign in, open a screen, read a text of the page.
import type { Page } from 'playwright-core'
import { texts } from '../../src/console/texts.ts'
import type { Person, World } from '../harness.ts'
import type { Browser } from './chromium.ts'

export type TextName = keyof typeof texts
export type Say = (name: TextName, values?: Record<string, string | number>) => string

/** The texts of one language, as the console shows them. */
export function sayIn(language: 'ko' | 'en'): Say {
  return (name, values = {}) =>
    texts[name][language === 'ko' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}

export async function signIn({ context }: Browser, world: World, person: Person): Promise<Page> {
  const page = await context.newPage()
  await page.goto(world.url)
  await page.locator('input[name=username]').fill(person.username)
  await page.locator('input[name=password]').fill(person.password)
  await page.locator('button[type=submit]').click()
  await page.locator('.cards, .empty').first().waitFor()
  return page
}

export async function openMachine(page: Page, world: World, { id }: { id: number }): Promise<void> {
  await page.goto(`${world.url}/#/machines/${id}`)
  await page.locator('.operate').waitFor()
}
