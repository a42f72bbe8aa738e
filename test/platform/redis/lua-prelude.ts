// The Lua code that runs before a script.

// Restores the names of Lua 5.1, removes those that 5.3 added, and forbids globals, as Redis does. In Redis, pcall gives the
// text of a Redis error, not the table.
export const prelude = `
local refuse = ...
unpack, loadstring = table.unpack, load
table.unpack, table.pack, table.move = nil, nil, nil
string.pack, string.unpack, string.packsize = nil, nil, nil
math.type, math.tointeger, math.ult, math.maxinteger, math.mininteger = nil, nil, nil, nil, nil
math.pow = function(x, y) return x ^ y end
math.log10 = function(x) return math.log(x, 10) end
dofile, loadfile, print, rawlen = nil, nil, nil, nil
local protected, kind, raise, text, get = pcall, type, error, tostring, rawget
local function flatten(ok, problem, ...)
  if not ok and kind(problem) == 'table' and get(problem, 'err') then return ok, problem.err end
  return ok, problem, ...
end
pcall = function(...) return flatten(protected(...)) end
setmetatable(redis, { __index = function(_, name) refuse('redis.' .. text(name)) end })
setmetatable(_G, {
  __index = function(_, name)
    refuse(name)
    raise("Script attempted to access nonexistent global variable '" .. text(name) .. "'", 2)
  end,
  __newindex = function() raise('Attempt to modify a readonly table', 2) end,
})
`

/** The libraries and functions that Redis' Lua has and this one does not. */
export const missingLibrary = /^(bit|cjson|cmsgpack|coroutine|struct|redis\..*)$/
