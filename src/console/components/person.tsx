// The name of an account; its id if the user may not know the name.
import { text } from '../language.ts'
import { people } from '../people.ts'
import { session } from '../session.ts'
import { useStore } from '../state.ts'

export function Person({ id }: { id: number }) {
  const current = useStore(session)
  const known = useStore(people)
  const isMe = current.state === 'signedIn' && current.user.id === id
  return <span class="person">{isMe ? text('you') : (known.get(id) ?? text('account_id', { id }))}</span>
}
