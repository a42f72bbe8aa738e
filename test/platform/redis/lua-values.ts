// Converts values between Lua and Redis, by the section "Data type conversion" of Redis' Lua API reference.
import { type LuaState, lua, luaType, pushBytes, readBytes, readField, setField } from './lua-vm.ts'
import { formatG } from './number.ts'
import { bytesFromText, integerReply, NotImplemented, RedisError, type Reply, Status, textFromBytes } from './reply.ts'

/** Pushes a Redis error: in Lua it is a table. */
export function pushError(state: LuaState, message: string): void {
  lua.lua_createtable(state, 0, 1)
  setField(state, 'err', () => pushBytes(state, bytesFromText(message)))
}

/** Pushes an array. Its first index is 1. */
export function pushList(state: LuaState, items: Reply[]): void {
  lua.lua_createtable(state, items.length, 0)
  items.forEach((item, at) => {
    pushReply(state, item)
    lua.lua_rawseti(state, -2, at + 1)
  })
}

/** Pushes a reply. null becomes false, because a Lua table cannot hold nil. */
export function pushReply(state: LuaState, reply: Reply): void {
  if (reply === null) lua.lua_pushboolean(state, false)
  else if (typeof reply === 'string') pushBytes(state, reply)
  else if (Array.isArray(reply)) pushList(state, reply)
  else if (reply instanceof Status) {
    lua.lua_createtable(state, 0, 1)
    setField(state, 'ok', () => pushBytes(state, reply.text))
  } else lua.lua_pushnumber(state, Number(reply))
}

/** The arguments of redis.call. A number is written with %.17g. */
export function readArguments(state: LuaState): string[] {
  const count = lua.lua_gettop(state)
  if (count === 0) throw new RedisError('ERR Please specify at least one argument for this redis lib call')
  return Array.from({ length: count }, (_, at) => {
    const type = lua.lua_type(state, at + 1)
    if (type === luaType.number) return formatG(lua.lua_tonumber(state, at + 1), 17)
    if (type === luaType.string) return readBytes(state, at + 1) ?? ''
    throw new RedisError('ERR Lua redis lib command arguments must be strings or integers')
  })
}

/** Redis truncates numbers to integers. */
function integerOf(value: number): Reply {
  if (!Number.isFinite(value)) throw new NotImplemented('a script whose result is an infinite number')
  return integerReply(BigInt(Math.trunc(value)))
}

const resp3Fields = ['double', 'map', 'set', 'big_number', 'verbatim_string']

function readTable(state: LuaState, isNested: boolean): Reply {
  const problem = readField(state, 'err')
  if (problem !== null) {
    if (isNested) throw new NotImplemented('a script whose result has an error inside an array')
    throw new RedisError(textFromBytes(problem).replace(/[\r\n]/g, ' '))
  }
  const status = readField(state, 'ok')
  if (status !== null) return new Status(status)
  const items: Reply[] = []
  for (;;) {
    lua.lua_rawgeti(state, -1, items.length + 1)
    const isEnd = lua.lua_type(state, -1) === luaType.nil
    if (!isEnd) items.push(readReply(state, true))
    lua.lua_settop(state, -2)
    if (isEnd) break
  }
  if (items.length === 0 && resp3Fields.some((name) => hasField(state, name))) {
    throw new NotImplemented('a script whose result is a RESP3 type')
  }
  return items
}

function hasField(state: LuaState, name: string): boolean {
  pushBytes(state, name)
  lua.lua_rawget(state, -2)
  const type = lua.lua_type(state, -1)
  lua.lua_settop(state, -2)
  return type !== luaType.nil
}

/**
 * The value on top of the stack as a reply. An array ends at its first nil.
 * @throws RedisError if it is an error
 */
export function readReply(state: LuaState, isNested = false): Reply {
  const type = lua.lua_type(state, -1)
  if (type === luaType.string) return readBytes(state, -1)
  if (type === luaType.number) return integerOf(lua.lua_tonumber(state, -1))
  if (type === luaType.boolean) return lua.lua_toboolean(state, -1) ? 1 : null
  return type === luaType.table ? readTable(state, isNested) : null
}
