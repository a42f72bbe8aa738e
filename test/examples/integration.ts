// An integration: starts the machines of one factory in sequence and prints each outcome. In this project, where npm
// brings Node 24: `npm exec -- node test/examples/integration.ts USERNAME PASSWORD`; TIEBAR_URL is the URL of Tiebar. A
// copy of the file needs Node 24 and the package that `npm run client:pack` makes.
import { createClient, JobFailed, TiebarProblem } from 'tiebar/client'

const [username = 'demo', password = 'moulding-by-day'] = process.argv.slice(2)
const tiebar = createClient({ baseUrl: process.env.TIEBAR_URL ?? 'http://127.0.0.1:8787' })

const user = await tiebar.logIn({ username, password })
process.stdout.write(`signed in as ${user.username}\n`)

for await (const machine of tiebar.machines.list({ owner_id: 'me', status: 'READY', limit: 5 })) {
  try {
    const job = await tiebar.machines.start(machine.id, { expiresIn: 30 }).done({ everySeconds: 0.2 })
    process.stdout.write(`${machine.name}: running (${job.detail ?? job.result})\n`)
  } catch (error) {
    // The machine did not execute the command, or the outcome is unknown: the job says which.
    if (error instanceof JobFailed) process.stdout.write(`${machine.name}: ${error.message}\n`)
    // The API refused the command, for example because the machine has no controller.
    else if (error instanceof TiebarProblem) process.stdout.write(`${machine.name}: ${error.code}\n`)
    else throw error
  }
}

await tiebar.logOut()
