// The members of a machine or a site. Managers change them; everybody may leave.
import type { Member, MemberRole, NewMember } from '../../client/api.ts'
import { text } from '../language.ts'
import { notePeople } from '../people.ts'
import { useResource } from '../resource.ts'
import { roles } from '../role.ts'
import { client, session } from '../session.ts'
import { useStore } from '../state.ts'
import { ActionButton } from './action-button.tsx'
import { Confirm } from './confirm.tsx'
import { Field, Form, Select } from './form.tsx'
import { ResourceRows } from './resource-rows.tsx'
import { readUntil, Until, UntilField } from './until.tsx'

type Place = {
  kind: 'machine' | 'site'
  id: number
  name: string
  isManager: boolean
  /** The user has given the own role back. */
  onLeft: () => unknown
}
const maxMembers = 100

async function readMembers({ kind, id }: Place): Promise<Member[]> {
  const input = { path: { id }, query: { limit: maxMembers } }
  const { items } = await client.ask(kind === 'machine' ? 'listMachineMembers' : 'listSiteMembers', input)
  notePeople(items)
  return items
}

const putMember = ({ kind, id }: Place, member: NewMember) =>
  kind === 'machine' ? client.machines.putMember(id, member) : client.sites.putMember(id, member)

const removeMember = ({ kind, id }: Place, accountId: number) =>
  kind === 'machine' ? client.machines.removeMember(id, accountId) : client.sites.removeMember(id, accountId)

export function Members(place: Place) {
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">{text('members_title')}</h2>
      {place.isManager ? <MemberList place={place} /> : <OwnMembership place={place} />}
    </section>
  )
}

function useMyId(): number | undefined {
  const current = useStore(session)
  return current.state === 'signedIn' ? current.user.id : undefined
}

function MemberList({ place }: { place: Place }) {
  const members = useResource(`members-${place.kind}-${place.id}`, () => readMembers(place))
  const me = useMyId()
  return (
    <>
      <ResourceRows
        resource={members}
        items={members.value}
        empty={text('no_members')}
        row={({ account_id, username, role, expires_at }) => (
          <li key={account_id} class="row">
            <div class="row-main">
              <strong>{username}</strong>
              <span class="row-meta">
                {text(`role_${role}`)}
                {expires_at && ' · '}
                {expires_at && <Until at={expires_at} />}
              </span>
            </div>
            {account_id === me ? (
              <Leave place={place} me={me} />
            ) : (
              <ActionButton
                label={text('remove')}
                name={`${username} ${text('remove')}`}
                isDanger
                onAct={async () => {
                  await removeMember(place, account_id)
                  members.reload()
                }}
              />
            )}
          </li>
        )}
      />
      <AddMember place={place} onAdded={members.reload} />
    </>
  )
}

/** Only managers may read the members. */
function OwnMembership({ place }: { place: Place }) {
  const me = useMyId()
  return (
    <>
      <p class="hint">{text('members_hidden')}</p>
      {me !== undefined && <Leave place={place} me={me} />}
    </>
  )
}

function Leave({ place, me }: { place: Place; me: number }) {
  const { kind, name, onLeft } = place
  const leave = async () => {
    await removeMember(place, me)
    await onLeft()
  }
  return (
    <Confirm
      label={text('leave')}
      question={text('leave_named', { name })}
      detail={text(`leave_${kind}_detail`)}
      action={text('leave')}
      onAct={leave}
    />
  )
}

function AddMember({ place, onAdded }: { place: Place; onAdded: () => void }) {
  const options = roles.map((role) => ({ value: role, label: text(`role_${role}`) }))
  return (
    <Form
      label={text('add_member')}
      submit={text('add_member')}
      onSubmit={async (fields, form) => {
        const { username = '', role = 'viewer' } = fields
        const expires_at = readUntil(fields)
        await putMember(place, { username, role: role as MemberRole, expires_at }) // the options are roles
        form.reset()
        onAdded()
      }}
    >
      <div class="field-row">
        <Field name="username" label={text('username')} />
        <Select name="role" label={text('role')} options={options} value="operator" />
      </div>
      <UntilField />
    </Form>
  )
}
