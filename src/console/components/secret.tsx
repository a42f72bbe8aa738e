// A secret that is shown once.
import { useState } from 'hono/jsx/dom'
import { text } from '../language.ts'

export function Secret({ label, value }: { label: string; value: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
  }
  return (
    <div class="secret" role="status">
      <p>
        <strong>{label}</strong> {text('shown_once')}
      </p>
      <code>{value}</code>
      <button type="button" class="button" onClick={() => void copy()}>
        {text(isCopied ? 'copied' : 'copy')}
      </button>
    </div>
  )
}
