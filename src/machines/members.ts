// The endpoints for the members of one machine.
import type { Router } from '../http/openapi/router.ts'
import { memberRoutes } from '../sites/members.ts'
import { explainRefusal } from './refusals.ts'
import { lockMachine, selectMachine } from './sql/fragments.ts'

export function machineMemberRoutes(): Router {
  return memberRoutes({
    place: {
      column: 'machine_id',
      lock: (caller, id) => lockMachine(caller, id, 'manager'),
      select: selectMachine,
      needsManager: false,
      refuse: explainRefusal,
    },
    path: '/api/machines/{id}',
    noun: 'Machine',
    tags: ['Machines'],
  })
}
