// Every text that the console shows, in Korean and English. A text that is missing in one language does not compile.
import { accountTexts } from './texts/account.ts'
import { boardTexts } from './texts/board.ts'
import { codeTexts } from './texts/codes.ts'
import { commonTexts } from './texts/common.ts'
import { jobTexts } from './texts/jobs.ts'
import { machineTexts } from './texts/machine.ts'
import { problemTexts } from './texts/problems.ts'
import { siteTexts } from './texts/sites.ts'

export const languages = ['ko', 'en'] as const
export type Language = (typeof languages)[number]

/** Korean, then English. */
export type Pair = readonly [string, string]

export const texts = {
  ...commonTexts,
  ...accountTexts,
  ...boardTexts,
  ...machineTexts,
  ...jobTexts,
  ...codeTexts,
  ...problemTexts,
  ...siteTexts,
} satisfies Record<string, Pair>

export type TextKey = keyof typeof texts
