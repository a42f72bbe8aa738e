// Restricts a script on a real server to the keys that it declares in KEYS. These have the stand-in's prefix; any other key
// may be the developer's own data, and the server does not check.
import type { CommandTable } from './command.ts'

/** The server's error for a script that the guard has refused. */
const refusal = /^TIEBARREFUSED (.*?)(?: script: [0-9a-f]{40}.*)?$/

/** What the guard has refused; undefined for any other error. */
export function readRefusal(message: string): string | undefined {
  return refusal.exec(message)?.[1]
}

/**
 * The script inside a function with a checked `redis`. Whatever else gives access to the server's `redis` is hidden. The
 * lines keep their numbers, but Redis reports line 1 for an error of a command, because the guard calls it.
 * @param script plain Lua that compiles: an extra `end` would close the function
 */
export function guardScript(script: string, commands: CommandTable): string {
  const allowed = Object.entries(commands).filter(([, { isAllowedInScripts }]) => isAllowedInScripts)
  const positions = allowed.map(([name, { keys }]) => `['${name}'] = '${keys}'`).join(', ')
  return `${before.replace('POSITIONS', positions).replaceAll('\n', ' ')} ${script}\n${after}`
}

// A refusal is an error in the script. If the script catches it, no further command runs, and its result is the refusal.
const before = `
local __guard = { server = redis, declared = {}, positions = { POSITIONS } }
for _, key in ipairs(KEYS) do __guard.declared[key] = key ~= '' end
function __guard.refuse(what)
  __guard.refused = __guard.refused or ('TIEBARREFUSED ' .. what)
  error({ err = __guard.refused })
end
function __guard.check(name, ...)
  if __guard.refused then error({ err = __guard.refused }) end
  if type(name) ~= 'string' then return end
  local keys = __guard.positions[string.lower(name)]
  if not keys then __guard.refuse('the command ' .. string.upper(name) .. ' in a script') end
  for at, key in ipairs({ ... }) do
    if (keys == 'all' or (keys == 'first' and at == 1)) and not __guard.declared[tostring(key)] then
      __guard.refuse('a script that uses a key it did not declare in KEYS')
    end
  end
end
function __guard.call(...) __guard.check(...) return __guard.server.call(...) end
function __guard.pcall(...) __guard.check(...) return __guard.server.pcall(...) end
local redis, _G, load, loadstring = { call = __guard.call, pcall = __guard.pcall }, nil, nil, nil
setmetatable(redis, { __index = function(_, name) __guard.refuse('redis.' .. tostring(name) .. ' in a Lua script') end })
local function __script()`

const after = `end
local __answer = __script()
if __guard.refused then return __guard.server.error_reply(__guard.refused) end
return __answer`
