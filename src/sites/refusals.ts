// Why a request for a site or its members is refused.
import { TiebarError } from '../kernel/error.ts'
import type { ErrorCode } from '../kernel/error-codes.ts'

const refusals = {
  not_found: 'There is no site with this id on which you have a role.',
  not_owner: 'You have no role on this site.',
  role_too_low: 'Only managers of the site may do this.',
  site_not_empty: 'The site has machines. Move or delete them first.',
} satisfies Partial<Record<ErrorCode, string>>

export type SiteDecision = keyof typeof refusals | 'done'

export function explainSiteRefusal(decision: keyof typeof refusals): TiebarError {
  return new TiebarError(decision, refusals[decision])
}
