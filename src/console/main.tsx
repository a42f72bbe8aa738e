// The console: starts it in the page.
import { render } from 'hono/jsx/dom'
import './main.css'

function Console() {
  return (
    <main>
      <h1>Tiebar</h1>
      <p>
        <a href="/api/swagger">Swagger UI</a> · <a href="/api/docs">ReDoc</a>
      </p>
    </main>
  )
}

const root = document.getElementById('console')
if (root) render(<Console />, root)
