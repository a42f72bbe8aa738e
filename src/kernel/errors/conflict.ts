// Errors of the state of an object: it does not allow what the request asks for.
import { kind } from './kind.ts'

export const conflictErrors = {
  username_taken: kind(409, 'The username is taken', {
    meaning: 'Another account has this username.',
    why: 'Usernames are compared without regard to case: Kim and kim are the same.',
    remedy: 'Choose another username, or log in if the account is yours.',
  }),
  email_taken: kind(409, 'The e-mail address is taken', {
    meaning: 'Another account has this e-mail address.',
    why: 'An address belongs to one account. Addresses are compared without regard to case.',
    remedy: 'Use another address, or log in to the account that has it.',
  }),
  last_staff: kind(409, 'The last active staff account cannot be changed', {
    meaning: 'The account is the last active one with staff rights, so it was not changed.',
    why: 'Only staff can grant staff rights, so one active staff account must remain.',
    remedy: 'Give staff rights to another active account first.',
  }),
  last_manager: kind(409, 'The last manager of a site cannot leave', {
    meaning: 'The account is the last manager of the site whose role does not expire. Nothing was changed.',
    why: 'Without a manager, nobody but staff could change the site or its members.',
    remedy: 'Make another account a manager first, without `expires_at`, or delete the site.',
  }),
  role_is_fixed: kind(409, 'The role of this account cannot be lowered', {
    meaning: 'The account is staff or owns the machine, so it is a manager. Nothing was changed.',
    why: 'A grant adds to the rights of an account. It cannot take away what staff and owners may do.',
    remedy: 'Grant the role `manager` without `expires_at`, or nothing.',
  }),
  owns_machines: kind(409, 'The account owns machines', {
    meaning: 'The account was not deleted, because it owns machines.',
    why: 'Every machine has an owner, who can change and stop it.',
    remedy: 'Delete the machines first. A colleague can register them again.',
  }),
  site_not_empty: kind(409, 'The site still has machines', {
    meaning: 'The site has machines, so it was not deleted.',
    why: 'Machines in a site are visible only to those with a role. Without the site, everybody could see them.',
    remedy: 'Move its machines to another site with PATCH `site_id`, or delete them.',
  }),
  job_open: kind(409, 'A job of the machine is still open', {
    meaning: 'A job of the machine has not ended yet, and it conflicts with the request.',
    why: 'A machine accepts one START at a time. Its status and its controller cannot change, and it cannot be deleted, until its jobs have ended.',
    remedy: 'Read the job in `job_id` until it ends, then try again. A STOP may be sent at any time.',
    isRetryable: true,
  }),
  wrong_state: kind(409, 'The machine is in the wrong state for this command', {
    meaning: 'The command is not allowed in the current status of the machine. The refusal is recorded in its history.',
    why: 'Each command is accepted only in certain statuses of the machine. `detail` names them and the current one.',
    remedy: 'Read the machine. To leave ERROR, send a STOP or set the status with PATCH.',
  }),
  no_controller: kind(409, 'The machine has no controller', {
    meaning: 'The command cannot be sent. The refusal is recorded in the history of the machine.',
    why: 'The machine has no `controller_url`, and no valid key with the scope `report` with which it could fetch commands.',
    remedy: 'Set the URL of the controller with PATCH, or create a key with which the machine reports.',
  }),
  stale: kind(409, 'The machine has stopped reporting', {
    meaning: 'The last report of the machine is too old, so it is not started. The refusal is recorded in its history.',
    why: 'After three intervals without a report, the current status of the machine is unknown.',
    remedy: 'Look at the machine and its connection. A STOP may be sent at any time.',
  }),
  remote_disabled: kind(409, 'The machine accepts no remote commands', {
    meaning:
      'The machine reports `remote_enabled: false`, so it is not started. The refusal is recorded in its history.',
    why: 'Somebody has switched it to local operation, usually to work at it.',
    remedy: 'Enable remote operation at the machine, where you can see whether somebody is in danger.',
  }),
  machine_reports: kind(409, 'The machine reports its status itself', {
    meaning: 'The status was not set, because the last report of the machine is recent. Nothing was changed.',
    why: 'What a machine says about itself counts more than what a person says about it.',
    remedy:
      'Change the status at the machine: it reports the new one. When its reports stop, set the status with PATCH.',
  }),
  held: kind(409, 'The machine is held', {
    meaning: 'Somebody has placed a hold on the machine, so it is not started. The refusal is recorded in its history.',
    why: 'A hold says that somebody is at the machine. It refuses every START, and no STOP.',
    remedy:
      'Ask the account in `GET /api/machines/{id}/holds` to remove the hold. If nobody is at the machine, a manager may override it.',
  }),
  start_in_flight: kind(409, 'A START was already sent to the machine', {
    meaning: 'No hold was placed: a START was sent to the machine, and may be executed. `job_id` names it.',
    why: 'While a hold is in force, no START is sent to the machine. A START that was sent cannot be recalled.',
    remedy: 'Send a STOP, wait until its job has ended, and then place the hold.',
  }),
  has_holds: kind(409, 'The account has placed holds', {
    meaning: 'The account was not deleted, because holds that it has placed are in force.',
    why: 'Only the account that has placed a hold may remove it.',
    remedy: 'Leave the machines, and remove the holds first.',
  }),
  machine_running: kind(409, 'The machine is running', {
    meaning: 'The machine is RUNNING or PENDING, so it keeps its controller. Nothing was changed.',
    why: 'Without a controller, or once it is deleted, the machine could not be stopped any more.',
    remedy: 'Send a STOP and wait until its job has ended. If the machine stands still, set `status` with PATCH first.',
  }),
  controller_taken: kind(409, 'The controller controls another machine', {
    meaning: 'Another machine has this `controller_url`, and its controller has confirmed that. Nothing was changed.',
    why: 'A controller controls one machine. Two spellings of one address count as the same.',
    remedy: 'Use the address of the controller of this machine, or remove the address from the other machine.',
  }),
  controller_refused: kind(409, 'The controller did not confirm the machine', {
    meaning:
      'The controller at `controller_url` did not confirm that it controls this machine, so nothing is sent to it.',
    why: 'It is configured with the id of another machine or with another origin of Tiebar, or it does not know the command CONFIRM. `detail` says what it answered.',
    remedy:
      'Compare `controller_url` with the address of the controller, and the id in its configuration with the id of the machine.',
  }),
  quota_exceeded: kind(409, 'The quota of the account is used up', {
    meaning: 'The account has as many objects of this kind as it may have. Nothing was created.',
    why: 'Each account has a quota, so that one account cannot fill the database. `detail` names the number.',
    remedy: 'Delete what is no longer needed, or ask the operator of the server for a higher quota.',
  }),
  not_cancelable: kind(409, 'The job can no longer be cancelled', {
    meaning: 'The job was not cancelled.',
    why: 'Only a QUEUED job can be cancelled, because the controller may have executed a job that was sent. A STOP cannot be cancelled either if it superseded a job that may have been executed.',
    remedy: 'Wait for the job to end, or send a STOP to supersede a START.',
  }),
  outcome_contradicts: kind(409, 'The job ended with another result', {
    meaning: 'The job has ended with another result. The report was recorded in its timeline and changed nothing else.',
    why: 'The controller reported two different results for one command, or a person or a STOP ended the job first.',
    remedy: 'Report the outcome of a command once. The timeline of the job shows its state.',
  }),
  precondition_failed: kind(412, 'The machine has changed', {
    meaning: 'If-Match does not contain the current ETag of the machine. Nothing was changed.',
    why: 'Another user or a job has changed the machine since it was read.',
    remedy: 'Read the machine again, check whether the change is still needed, and send the new ETag.',
  }),
}
