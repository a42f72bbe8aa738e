// The console for tests: opens it as a person, and goes to its screens.
import type { Page } from 'playwright-core'
import type { Person, World } from '../harness.ts'
import type { Browser } from './chromium.ts'

/** What the console must work in: Korean on a phone, English on a desktop. */
export const views = [
  { language: 'ko', locale: 'ko-KR', viewport: { width: 390, height: 844 } },
  { language: 'en', locale: 'en-US', viewport: { width: 1440, height: 900 } },
] as const

/** The path of a page of the same origin without a script. */
export const emptyPage = '/console/icon.svg'

/** How long the console may take to show a change: it reads every 5 s, and this computer may be busy. */
export const shownWithinMs = 25_000

/** Opens the board in a new tab with a session of its own, as after a reload: the form would take a second more. */
export async function openConsole({ context }: Browser, world: World, person: Pick<Person, 'id'>): Promise<Page> {
  const page = await context.newPage()
  const { refresh } = await world.openSession(person)
  await page.goto(`${world.url}${emptyPage}`)
  await page.evaluate(`sessionStorage.setItem('tiebar.refresh', ${JSON.stringify(refresh)})`)
  await page.goto(world.url)
  await page.locator('.cards, .empty').first().waitFor()
  return page
}

export async function fillSignIn(page: Page, { username, password }: Pick<Person, 'username' | 'password'>) {
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
}

/** Goes to the screen of an address such as `#/sites`, as a click on a link does. */
export async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

export async function goToMachine(page: Page, id: number): Promise<void> {
  await go(page, `#/machines/${id}`)
  await page.locator('.operate').waitFor()
  await page.locator('.operate-why .hint, .obstacles').first().waitFor({ state: 'attached' })
}
