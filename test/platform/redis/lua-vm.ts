// The Lua interpreter for scripts: Fengari, which is Lua 5.3 in JavaScript, changed to the numbers of Lua 5.1, on which Redis
// scripts rely: doubles only, written with %.14g. (Fengari's integers have 32 bits and overflow.)
import { createRequire } from 'node:module'
import { formatG } from './number.ts'

/** A Lua state. Only Fengari reads it. */
export type LuaState = { readonly luaState: unique symbol }
export type LuaFunction = (state: LuaState) => number
type Bytes = Uint8Array

/** The part of Fengari that is used here. Names and behaviour are those of Lua's C API. */
export type LuaApi = {
  lua_createtable(state: LuaState, items: number, fields: number): void
  lua_error(state: LuaState): never
  lua_gettop(state: LuaState): number
  lua_insert(state: LuaState, at: number): void
  lua_pcall(state: LuaState, args: number, results: number, handler: number): number
  lua_pushboolean(state: LuaState, value: boolean): void
  lua_pushcfunction(state: LuaState, value: LuaFunction): void
  lua_pushlstring(state: LuaState, value: Bytes, length: number): void
  lua_pushnil(state: LuaState): void
  lua_pushnumber(state: LuaState, value: number): void
  lua_pushvalue(state: LuaState, at: number): void
  lua_rawget(state: LuaState, at: number): void
  lua_rawgeti(state: LuaState, at: number, index: number): void
  lua_rawset(state: LuaState, at: number): void
  lua_rawseti(state: LuaState, at: number, index: number): void
  lua_setglobal(state: LuaState, name: Bytes): void
  lua_settop(state: LuaState, top: number): void
  lua_toboolean(state: LuaState, at: number): boolean
  lua_tolstring(state: LuaState, at: number): Bytes | null
  lua_tonumber(state: LuaState, at: number): number
  lua_type(state: LuaState, at: number): number
}

export type LuaAuxiliary = {
  luaL_loadbuffer(state: LuaState, code: Bytes, length: number, name: Bytes): number
  luaL_newstate(): LuaState
  luaL_requiref(state: LuaState, name: Bytes, open: LuaFunction, isGlobal: boolean): void
  luaL_where(state: LuaState, level: number): void
}

type Fengari = {
  lua: LuaApi
  lauxlib: LuaAuxiliary
  lualib: Record<string, LuaFunction>
}
type NumberCell = {
  setfltvalue(value: number): void
  setivalue(value: number): void
}

/** Lua's type codes, from lua.h. */
export const luaType = { nil: 0, boolean: 1, number: 3, string: 4, table: 5 }

function loadFengari(): Fengari {
  const require = createRequire(import.meta.url)
  // The core copies the settings when it is loaded, and the libraries copy the core, so each is changed before the next one
  // is loaded. The modules import each other, so the order is Fengari's own.
  require('fengari/src/fengaricore.js')
  const settings: { LUA_COMPAT_FLOATSTRING: boolean; lua_number2str(value: number): string } =
    require('fengari/src/luaconf.js')
  settings.LUA_COMPAT_FLOATSTRING = true
  settings.lua_number2str = (value) => formatG(value, 14)
  const core: { lua_pushinteger: unknown; lua_pushnumber: unknown } = require('fengari/src/lua.js')
  core.lua_pushinteger = core.lua_pushnumber
  const objects: { TValue: { prototype: NumberCell } } = require('fengari/src/lobject.js')
  objects.TValue.prototype.setivalue = objects.TValue.prototype.setfltvalue
  return require('fengari')
}

export const { lua, lauxlib, lualib } = loadFengari()
assertOneKindOfNumber()

/** @throws Error if Fengari was loaded before: it then has the old settings */
function assertOneKindOfNumber(): void {
  const state = lauxlib.luaL_newstate()
  const code = luaBytes("return (2147483647 + 1) .. ' ' .. 1e15")
  lauxlib.luaL_loadbuffer(state, code, code.length, luaBytes('=check'))
  lua.lua_pcall(state, 0, 1, 0)
  if (readBytes(state, -1) !== '2147483648 1e+15') throw new Error('Fengari was loaded before it could be set up')
}

export function luaBytes(bytes: string): Uint8Array {
  return Uint8Array.from(Buffer.from(bytes, 'latin1'))
}

export function pushBytes(state: LuaState, bytes: string): void {
  lua.lua_pushlstring(state, luaBytes(bytes), bytes.length)
}

/** The string at that index. A number is converted to text; any other value gives null. */
export function readBytes(state: LuaState, at: number): string | null {
  lua.lua_pushvalue(state, at) // a copy, because the conversion of a number changes it in place
  const found = lua.lua_tolstring(state, -1)
  lua.lua_settop(state, -2)
  return found && Buffer.from(found).toString('latin1')
}

/** Sets a field of the table on top of the stack to the value that `push` pushes. */
export function setField(state: LuaState, name: string, push: () => void): void {
  pushBytes(state, name)
  push()
  lua.lua_rawset(state, -3)
}

/** A string field of the table on top of the stack, or null. */
export function readField(state: LuaState, name: string): string | null {
  pushBytes(state, name)
  lua.lua_rawget(state, -2)
  const found = readBytes(state, -1)
  lua.lua_settop(state, -2)
  return found
}
