// The names in audit events.

/** `operation.refuse`: somebody without the role sent a command. `database.*`: a program was run by an operator. */
export const auditActions = [
  'account.add',
  'account.rights',
  'account.reset_issue',
  'account.reset_use',
  'account.password',
  'account.delete',
  'site.add',
  'site.rename',
  'site.delete',
  'member.add',
  'member.change',
  'member.remove',
  'key.add',
  'key.revoke',
  'machine.add',
  'machine.status',
  'machine.controller',
  'machine.site',
  'machine.delete',
  'hold.place',
  'hold.remove',
  'hold.override',
  'operation.refuse',
  'database.restore',
  'database.import',
] as const
export type AuditAction = (typeof auditActions)[number]

/** What an event can be about. A subject is one of these, a colon and an id; `database` has no id. */
export const auditSubjects = ['account', 'site', 'machine', 'key', 'database'] as const
export type AuditSubject = (typeof auditSubjects)[number]

/** Ids and values of settings, by their names. */
export type AuditValues = Record<string, string | number | boolean | null | string[]>
