// Preloaded into a child that leads a process group: when the parent is gone, killed even, its end of our standard
// input closes, and the group ends too.
process.stdin.once('end', () => process.kill(0, 'SIGTERM'))
process.stdin.once('error', () => process.kill(0, 'SIGTERM'))
process.stdin.resume()
