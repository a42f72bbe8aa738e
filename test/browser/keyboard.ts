// The keyboard alone: goes to elements by Tab, and checks at each step that the focus can be seen.
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** More steps than any screen has elements. */
const mostSteps = 120

/** For a busy computer. */
const focusedWithinMs = 10_000

/** What has the focus. `fault`: why a person who looks at the page does not see that. */
export type Stop = { name: string; id: number; top: number; bottom: number; isInMain: boolean; fault: string | null }

/** Runs in the page. An outline of 2 px or more is what the console uses, see `:focus-visible` in base.css. */
const readStop = `(() => {
  const element = document.activeElement
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const box = element.getBoundingClientRect()
  const [line] = element.getClientRects()
  const seen = line && document.elementFromPoint(line.left + line.width / 2, line.top + line.height / 2)
  const isInside = box.left > -1 && box.right < innerWidth + 1 && box.top > -1 && box.bottom < innerHeight + 1
  const faults = [
    element === document.body && 'nothing has the focus',
    (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) && 'it has no outline',
    // A text that is higher than the window cannot be inside.
    !isInside && element.id !== 'content' && 'it is outside of the window: ' + JSON.stringify([box, innerWidth, innerHeight, scrollY]),
    isInside && !element.contains(seen) && 'something covers it',
  ]
  const stops = (window.stops ??= [])
  if (!stops.includes(element)) stops.push(element)
  const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent
  return {
    name: element.localName + ' ' + label.trim().slice(0, 40),
    id: stops.indexOf(element),
    top: box.top + scrollY,
    bottom: box.bottom + scrollY,
    isInMain: element.closest('main') !== null,
    fault: faults.find(Boolean) || null,
  }
})()`

/** @throws AssertionError when the focus cannot be seen */
async function readFocus(page: Page): Promise<Stop> {
  const stop = (await page.evaluate(readStop)) as Stop // what the script above returns
  expect(stop.fault, `${stop.name} in ${page.url()}`).toBe(null)
  return stop
}

const hasFocus = (target: Locator) => target.evaluate((element) => element.matches(':focus'))

/** The element has the focus, or gets it soon, and that can be seen. */
export async function expectFocus(page: Page, target: Locator): Promise<void> {
  await expect.poll(() => hasFocus(target), { timeout: focusedWithinMs }).toBe(true)
  await readFocus(page)
}

/** Waits for this element, and presses Tab until it has the focus. If it came later, the focus could have passed its place. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor({ state: 'attached', timeout: focusedWithinMs })
  const passed: string[] = []
  while (passed.length < mostSteps) {
    await page.keyboard.press(key)
    const { name } = await readFocus(page)
    if (await hasFocus(target)) return
    passed.push(name)
  }
  throw new Error(`${key} does not lead to ${target}, but to ${passed.join(', ')}`)
}

/** All elements that Tab leads to on a page that has just been loaded, from the first one to the last one. */
export async function walk(page: Page): Promise<Stop[]> {
  const stops: Stop[] = []
  for (let step = 0; step < mostSteps; step++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate('document.activeElement === document.body')) break // past the last one
    const stop = await readFocus(page)
    const isNew = stops.every(({ id }) => id !== stop.id)
    if (isNew) stops.push(stop)
    else if (stops.at(-1)?.id !== stop.id) break // the same one again is a date, which has three parts
  }
  return stops
}

/** What one can press, fill in or follow on the page, and where `walk` has not been. */
export async function findPassedOver(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter((element) => element.checkVisibility() && !window.stops.includes(element))
    .map(({ outerHTML }) => outerHTML.slice(0, 120))`)
}
