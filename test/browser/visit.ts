// The console for tests: signs a person in, and goes to its screens.
import type { Page } from 'playwright-core'
import type { Person, World } from '../harness.ts'
import type { Browser } from './chromium.ts'

/** How long the console may take to show a change: it reads every 5 s, and this computer may be busy. */
export const shownWithinMs = 25_000

export async function openConsole({ context }: Browser, { url }: World, person: Person): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await fillSignIn(page, person)
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
