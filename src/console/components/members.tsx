// The members of a machine or a site. Managers change them; everybody may leave.
import type { Member, MemberRole, NewMember } from '../../client/api.ts'
import { text } from '../language.ts'
import { notePeople } from '../people.ts'
import { useResource } from '../resource.ts'
import { roles } from '../role.ts'
import { client, session } from '../session.ts'
import { useStore } from '../state.ts'
import { ActionButton } from './action-button.tsx'
import { Field, Form, Select } from './form.tsx'
import { Problem } from './problem.tsx'

type Place = { kind: 'machine' | 'site'; id: number; isManager: boolean }
const mostMembers = 100

async function readMembers({ kind, id }: Place): Promise<Member[]> {
  const input = { path: { id }, query: { limit: mostMembers } }
  const { items } = await client.ask(kind === 'machine' ? 'listMachineMembers' : 'listSiteMembers', input)
  notePeople(items)
  return items
}

const putMember = ({ kind, id }: Place, member: NewMember) =>
  kind === 'machine' ? client.machines.putMember(id, member) : client.sites.putMember(id, member)

const removeMember = ({ kind, id }: Place, accountId: number) =>
  kind === 'machine' ? client.machines.removeMember(id, accountId) : client.sites.removeMember(id, accountId)

export function Members(place: Place) {
  const members = useResource(`members-${place.kind}-${place.id}`, () => readMembers(place))
  const present = useStore(session)
  const me = present.state === 'signedIn' ? present.user.id : undefined
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">{text('members_title')}</h2>
      {members.error !== undefined && <Problem error={members.error} onRetry={members.reload} />}
      {members.value?.length === 0 && <p>{text('no_members')}</p>}
      <ul class="rows">
        {members.value?.map((member) => (
          <li key={member.account_id} class="row">
            <div class="row-main">
              <strong>{member.username}</strong>
              <span class="row-meta">
                {text(`role_${member.role}`)}
                {member.expires_at && ` · ${text('until', { date: member.expires_at.slice(0, 10) })}`}
              </span>
            </div>
            {(place.isManager || member.account_id === me) && (
              <ActionButton
                label={text(member.account_id === me ? 'leave' : 'remove')}
                name={`${member.username} ${text(member.account_id === me ? 'leave' : 'remove')}`}
                isDanger
                onAct={async () => {
                  await removeMember(place, member.account_id)
                  members.reload()
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {place.isManager && <AddMember place={place} onAdded={members.reload} />}
    </section>
  )
}

function AddMember({ place, onAdded }: { place: Place; onAdded: () => void }) {
  const options = roles.map((role) => ({ value: role, label: text(`role_${role}`) }))
  return (
    <Form
      label={text('add_member')}
      submit={text('add_member')}
      onSubmit={async ({ username = '', role = 'viewer' }, form) => {
        await putMember(place, { username, role: role as MemberRole }) // the options are roles
        form.reset()
        onAdded()
      }}
    >
      <div class="field-row">
        <Field name="username" label={text('username')} />
        <Select name="role" label={text('role')} options={options} value="operator" />
      </div>
    </Form>
  )
}
