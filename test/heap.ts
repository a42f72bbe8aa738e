// Reads the heap of a Worker through the inspector protocol, after a garbage collection. The size of the process is not
// enough: workerd keeps hundreds of megabytes of garbage.
// https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/

/**
 * Returns MiB. The inspector is attached only briefly, because an attached inspector keeps logged objects.
 * @param prod sends the Worker a request, because it collects garbage only when it has work
 */
export async function readHeap(inspector: URL, worker: string, prod: () => Promise<Response>): Promise<number> {
  const socket = new WebSocket(`${inspector.origin.replace('http', 'ws')}/${worker}`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`the inspector at ${inspector} does not answer`)))
  })
  try {
    await Promise.all([call(socket, 'HeapProfiler.enable'), prod()])
    const collected = call(socket, 'HeapProfiler.collectGarbage').then(() => true)
    while (!(await Promise.race([collected, prod().then((answer) => answer.text().then(() => false))])));
    const {
      usedSize = 0,
      embedderHeapUsedSize = 0,
      backingStorageSize = 0,
    } = await call(socket, 'Runtime.getHeapUsage')
    return (usedSize + embedderHeapUsedSize + backingStorageSize) / 2 ** 20
  } finally {
    socket.close()
  }
}

type Reply = { id?: number; result?: Record<string, number>; error?: { message: string } }
let lastId = 0

function call(socket: WebSocket, method: string): Promise<Record<string, number>> {
  lastId += 1
  const id = lastId
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, number>>()
  socket.addEventListener('message', ({ data }) => {
    const reply: Reply = JSON.parse(String(data))
    if (reply.id !== id) return
    if (reply.result) resolve(reply.result)
    else reject(new Error(`${method}: ${reply.error?.message}`))
  })
  socket.addEventListener('close', () => reject(new Error(`${method}: the inspector disconnected`)))
  socket.send(JSON.stringify({ id, method }))
  return promise
}
