// The members of a machine or a site. Managers change them; everybody may leave.
import type { Member, MemberRole, NewMember } from '../../client/api.ts'
import { toHash } from '../address.ts'
import { text } from '../language.ts'
import { notePeople } from '../people.ts'
import { useResource } from '../resource.ts'
import { roles } from '../role.ts'
import { navigate } from '../router.ts'
import { client, session } from '../session.ts'
import { useStore } from '../state.ts'
import { ActionButton } from './action-button.tsx'
import { Field, Form, Select } from './form.tsx'
import { Problem } from './problem.tsx'
import { readUntil, Until, UntilField } from './until.tsx'

type Place = { kind: 'machine' | 'site'; id: number; isManager: boolean }
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
      {members.error !== undefined && <Problem error={members.error} onRetry={members.reload} />}
      {members.value?.length === 0 && <p>{text('no_members')}</p>}
      <ul class="rows">
        {members.value?.map(({ account_id, username, role, expires_at }) => (
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
        ))}
      </ul>
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
      {me !== undefined && (
        <div class="form-actions">
          <Leave place={place} me={me} />
        </div>
      )}
    </>
  )
}

function Leave({ place, me }: { place: Place; me: number }) {
  const leave = async () => {
    await removeMember(place, me)
    navigate(toHash(place.kind === 'site' ? 'sites' : 'board'))
  }
  return <ActionButton label={text('leave')} isDanger onAct={leave} />
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
