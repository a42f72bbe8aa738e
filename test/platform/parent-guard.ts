// Preloaded into the leader of a process group. When the parent ends, even by SIGKILL, standard input closes, and the group is
// terminated.
process.stdin.once('end', () => process.kill(0, 'SIGTERM'))
process.stdin.once('error', () => process.kill(0, 'SIGTERM'))
process.stdin.resume()
