// An action that cannot be undone: it says what it does and to what, and waits for a second button.
import { useAction } from '../use-action.ts'
import { Problem } from './problem.tsx'
import { CancelButton, Reveal } from './reveal.tsx'

type Props = {
  label: string
  question: string
  detail: string
  /** Of the button that does it. */
  action: string
  onAct: () => Promise<unknown>
}

export function Confirm({ label, question, detail, action, onAct }: Props) {
  return (
    <Reveal
      label={label}
      question={question}
      detail={detail}
      isDanger
      content={(close) => <Actions action={action} onAct={onAct} onClose={close} />}
    />
  )
}

function Actions({ action, onAct, onClose }: Pick<Props, 'action' | 'onAct'> & { onClose: () => void }) {
  const { isBusy, error, run } = useAction()
  return (
    <>
      {error !== undefined && <Problem error={error} />}
      <div class="form-actions">
        <button
          type="button"
          class="button is-danger is-filled"
          aria-disabled={isBusy ? 'true' : 'false'}
          onClick={() => void run(onAct)}
        >
          {action}
        </button>
        <CancelButton onClose={onClose} />
      </div>
    </>
  )
}
