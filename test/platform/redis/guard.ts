// Keeps a script on a real server within the keys that it declared in KEYS. Those are mapped to the stand-in's prefix, any
// other key would belong to somebody else; and the server itself does not check.
import type { CommandTable } from './command.ts'

/** How the server's answer tells that the guard has refused the script. */
const refusal = /^TIEBARREFUSED (.*?)(?: script: [0-9a-f]{40}.*)?$/

/** What the guard has refused, or undefined for an error of another kind. */
export function readRefusal(message: string): string | undefined {
  return refusal.exec(message)?.[1]
}

/**
 * The script within a function that sees a checked `redis` in place of the server's. What else would lead to the server's
 * `redis` is hidden. The script's lines keep their numbers, but an error that a command raises is told of the first line.
 * @param script plain Lua that compiles: a text with an `end` too many would leave the function
 */
export function guardScript(script: string, commands: CommandTable): string {
  const allowed = Object.entries(commands).filter(([, { isAllowedInScripts }]) => isAllowedInScripts)
  const positions = allowed.map(([name, { keys }]) => `['${name}'] = '${keys}'`).join(', ')
  return `${before.replace('POSITIONS', positions).replaceAll('\n', ' ')} ${script}\n${after}`
}

// A refusal ends the script. Should the script catch it, nothing more is carried out, and the end tells.
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
