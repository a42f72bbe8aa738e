// A button that opens something in its place: a question or a form. It stays in the page instead of covering it, so that a
// STOP remains in reach. The focus goes to what has opened, and back to the button.
import { useLayoutEffect, useRef, useState } from 'hono/jsx/dom'
import { text } from '../language.ts'

type Props = {
  label: string
  /** For screen readers, where the label alone does not say of what. */
  name?: string
  question: string
  detail?: string
  isDanger?: boolean
  content: (close: () => void) => unknown
}

export function Reveal({ label, name, question, detail, isDanger = false, content }: Props) {
  const [isOpen, setOpen] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const wasOpen = useRef(false)
  useLayoutEffect(() => {
    if (isOpen) heading.current?.focus()
    else if (wasOpen.current) opener.current?.focus()
    wasOpen.current = isOpen
  }, [isOpen])
  if (!isOpen) {
    return (
      <button
        type="button"
        class={`button ${isDanger ? 'is-danger' : ''}`}
        ref={opener}
        {...(name && { 'aria-label': name })}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
    )
  }
  return (
    <section class={`reveal ${isDanger ? 'is-danger' : ''}`} aria-label={question}>
      <h3 tabindex={-1} ref={heading}>
        {question}
      </h3>
      {detail && <p>{detail}</p>}
      {content(() => setOpen(false))}
    </section>
  )
}

export function CancelButton({ onClose }: { onClose: () => void }) {
  return (
    <button type="button" class="button" onClick={onClose}>
      {text('cancel')}
    </button>
  )
}
