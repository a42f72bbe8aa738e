// Why a request for a machine is refused.
import { TiebarError } from '../kernel/error.ts'
import type { ErrorCode } from '../kernel/error-codes.ts'

export const refusals = {
  not_found: 'There is no machine with this id.',
  not_owner: 'You have no role on this machine. Ask its owner or a manager.',
  role_too_low:
    'Your role on this machine does not allow this. Ask a manager. `my_role` of the machine shows your role.',
  no_such_site: 'There is no site with this id on which you have a role.',
  site_role_too_low: 'Only a manager of a site may move a machine into it or register one in it.',
  key_not_allowed: 'The key is limited to a site, so it cannot move the machine out of this site.',
  precondition_failed: 'If-Match does not name the current state of the machine. Read it again.',
  job_open: 'A job is open. Until it ends, status and controller_url cannot change and the machine cannot be deleted.',
  machine_running: 'The machine is running. Send a STOP first: without its controller, nothing can stop it.',
  machine_reports:
    'The machine reports its status itself, and its last report is recent. Its status cannot be set by hand.',
  controller_taken: 'Another machine has confirmed this controller. A controller controls one machine.',
} satisfies Partial<Record<ErrorCode | 'site_role_too_low', string>>

/** @param jobId the open job, for `job_open` */
export function explainRefusal(decision: keyof typeof refusals, jobId: string | null = null): TiebarError {
  const code = decision === 'site_role_too_low' ? 'role_too_low' : decision
  return new TiebarError(code, refusals[decision], decision === 'job_open' && jobId !== null ? { jobId } : {})
}
