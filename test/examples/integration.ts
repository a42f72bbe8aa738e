// What an integrator writes: one factory's machines, started one after the other, and what came of it. Here, where npm
// brings Node 24: `npm exec -- node test/examples/integration.ts USERNAME PASSWORD`; TIEBAR_URL says where Tiebar is. A copy
// of the file needs Node 24 and the package that `npm run client:pack` makes.
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
    // The machine did not do it, or nobody knows: the job tells which.
    if (error instanceof JobFailed) process.stdout.write(`${machine.name}: ${error.message}\n`)
    // The API would not have it: the machine has no controller, say.
    else if (error instanceof TiebarProblem) process.stdout.write(`${machine.name}: ${error.code}\n`)
    else throw error
  }
}

await tiebar.logOut()
