// One account in the list for staff, and what staff may do to it.
import type { User } from '../../client/api.ts'
import { text } from '../language.ts'
import { client, session } from '../session.ts'
import { useStore } from '../state.ts'
import { ActionButton } from './action-button.tsx'
import { Form, PasswordField } from './form.tsx'
import { Reveal } from './reveal.tsx'

type Props = { user: User; onToken: (token: string) => void; onChanged: () => void }

export function AccountRow({ user, onToken, onChanged }: Props) {
  const current = useStore(session)
  const isMe = current.state === 'signedIn' && current.user.id === user.id
  const { username, email, is_active, is_staff } = user
  return (
    <li class="row">
      <div class="row-main">
        <strong>{username}</strong>
        <span class="row-meta">
          {email} {is_staff && `· ${text('staff')}`} {!is_active && `· ${text('disabled')}`}
        </span>
      </div>
      {!isMe && (
        <div class="row-actions">
          {is_active && <ResetAction user={user} onToken={onToken} />}
          <ActiveAction user={user} onChanged={onChanged} />
          {is_active && <StaffAction user={user} onChanged={onChanged} />}
        </div>
      )}
    </li>
  )
}

type ActionProps = Pick<Props, 'user' | 'onChanged'>

/** A new password for staff would give staff rights, so it needs the password of the caller, as a grant does. */
function ResetAction({ user, onToken }: Pick<Props, 'user' | 'onToken'>) {
  const { id } = user
  const issue = async (current_password?: string) => {
    const body = current_password === undefined ? {} : { current_password }
    onToken((await client.ask('issuePasswordReset', { path: { id }, body })).reset_token)
  }
  if (user.is_staff) return <WithPassword user={user} label={text('issue_reset')} onAct={issue} />
  return <Action user={user} label={text('issue_reset')} onAct={issue} />
}

function ActiveAction({ user, onChanged }: ActionProps) {
  const change = async (current_password?: string) => {
    const is_active = !user.is_active
    await client.accounts.changeRights(user.id, {
      is_active,
      ...(current_password !== undefined && { current_password }),
    })
    onChanged()
  }
  if (user.is_active) return <Action user={user} label={text('disable')} onAct={change} />
  if (!user.is_staff) return <Action user={user} label={text('enable')} onAct={change} />
  return <WithPassword user={user} label={text('enable')} detail={text('make_staff_detail')} onAct={change} />
}

function StaffAction({ user, onChanged }: ActionProps) {
  const change = async (rights: { is_staff: boolean; current_password?: string }) => {
    await client.accounts.changeRights(user.id, rights)
    onChanged()
  }
  if (user.is_staff)
    return <Action user={user} label={text('revoke_staff')} onAct={() => change({ is_staff: false })} />
  const grant = (current_password: string) => change({ is_staff: true, current_password })
  return <WithPassword user={user} label={text('make_staff')} detail={text('make_staff_detail')} onAct={grant} />
}

type SimpleProps = { user: User; label: string; onAct: () => Promise<unknown> }

function Action({ user, label, onAct }: SimpleProps) {
  return <ActionButton label={label} name={`${user.username} ${label}`} isDanger onAct={() => onAct()} />
}

type GuardedProps = { user: User; label: string; detail?: string; onAct: (password: string) => Promise<unknown> }

function WithPassword({ user, label, detail, onAct }: GuardedProps) {
  const name = `${user.username} ${label}`
  return (
    <Reveal
      label={label}
      name={name}
      question={`${user.username}: ${label}`}
      {...(detail && { detail })}
      isDanger
      content={(close) => (
        <Form
          label={name}
          submit={label}
          isDanger
          onClose={close}
          onSubmit={async ({ current_password = '' }) => {
            await onAct(current_password)
            close()
          }}
        >
          <PasswordField hint={text('confirm_with_password')} />
        </Form>
      )}
    />
  )
}
