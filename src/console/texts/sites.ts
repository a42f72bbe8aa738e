// Texts of sites and members.
import type { Pair } from '../texts.ts'

export const siteTexts = {
  sites_title: ['사업장', 'Sites'],
} as const satisfies Record<string, Pair>
