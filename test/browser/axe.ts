// axe-core in a page: what it finds against WCAG 2.0 to 2.2 (A and AA) and best practice.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, NodeResult, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const options = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } }, // the only rule of WCAG 2.2, which is off by default
  resultTypes: ['violations', 'incomplete'],
} satisfies RunOptions

/** Signs such as an arrow alone, which axe does not judge: their colours are those of the text beside them. */
const isWithoutText = ({ any }: NodeResult) => any.some(({ data }) => data?.messageKey === 'nonBmp')

/** @returns one line for each element that breaks a rule, or whose contrast cannot be told */
export async function findFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(source) // not as a script: the policy of the page refuses it
  const results = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as AxeResults // its documented result
  const uncertain = results.incomplete.filter(({ id }) => id === 'color-contrast')
  return [...results.violations, ...uncertain].flatMap(({ id, nodes }) =>
    nodes
      .filter((node) => !isWithoutText(node))
      .map(({ target, any, all }) => `${id}: ${target.join(' ')} (${[...any, ...all][0]?.message ?? ''})`),
  )
}
