// Runs a script as Redis 7 does: with KEYS and ARGV, redis.call and redis.pcall, and Redis' error texts.
import { missingLibrary, prelude } from './lua-prelude.ts'
import { pushError, pushList, pushReply, readArguments, readReply } from './lua-values.ts'
import {
  type LuaFunction,
  type LuaState,
  lauxlib,
  lua,
  luaBytes,
  lualib,
  luaType,
  readBytes,
  readField,
  setField,
} from './lua-vm.ts'
import { NotImplemented, RedisError, type Reply, textFromBytes } from './reply.ts'

export type LuaScript = {
  script: string
  sha: string
  keys: string[]
  argv: string[]
  /** @throws RedisError for an error of the command */
  call(words: string[]): Reply
}

const openLibraries = {
  _G: 'luaopen_base',
  table: 'luaopen_table',
  string: 'luaopen_string',
  math: 'luaopen_math',
}

/** The line of the script that raised the error. To be called in the error handler. */
function whereRaised(state: LuaState): string {
  for (const level of [1, 2, 3, 4]) {
    lauxlib.luaL_where(state, level)
    const line = /^user_script:(\d+): $/.exec(readBytes(state, -1) ?? '')?.[1]
    lua.lua_settop(state, -2)
    if (line) return line
  }
  return ''
}

/** Compiles the script onto the stack. @throws RedisError if it does not compile */
function load(state: LuaState, script: string): void {
  const code = luaBytes(script)
  if (lauxlib.luaL_loadbuffer(state, code, code.length, luaBytes('@user_script')) === 0) return
  const problem = textFromBytes(readBytes(state, -1) ?? '')
  throw new RedisError(`ERR Error compiling script (new function): ${problem}`)
}

/** @throws RedisError if the script does not compile */
export function checkLua(script: string): void {
  load(lauxlib.luaL_newstate(), script)
}

/** One run of one script, in a Lua state of its own. */
class LuaRun {
  readonly #given: LuaScript
  readonly #state = lauxlib.luaL_newstate()
  /** An error that ends the run even if the script catches it: a refusal, or a fault of the stand-in. */
  #fatal: { error: unknown } | null = null
  #line = ''

  constructor(given: LuaScript) {
    this.#given = given
  }

  /** A function for Lua. An error is raised in Lua as Redis raises it, or returned as a table. */
  #expose(work: (state: LuaState) => Reply, doesRaise = true): LuaFunction {
    return (state) => {
      let problem: string
      try {
        if (this.#fatal) throw this.#fatal.error
        pushReply(state, work(state))
        return 1
      } catch (error) {
        if (!(error instanceof RedisError)) this.#fatal ??= { error }
        problem = error instanceof Error ? error.message : String(error)
      }
      pushError(state, problem)
      return doesRaise ? lua.lua_error(state) : 1
    }
  }

  #defineRedis(): void {
    const state = this.#state
    const command = (inner: LuaState) => this.#given.call(readArguments(inner))
    const functions: Record<string, LuaFunction> = {
      call: this.#expose(command),
      pcall: this.#expose(command, false),
    }
    lua.lua_createtable(state, 0, 0)
    for (const [name, run] of Object.entries(functions)) setField(state, name, () => lua.lua_pushcfunction(state, run))
    lua.lua_setglobal(state, luaBytes('redis'))
  }

  #prepare(): void {
    const state = this.#state
    for (const [name, open] of Object.entries(openLibraries)) {
      const library = lualib[open]
      if (!library) throw new Error(`this Fengari has no ${open}`)
      lauxlib.luaL_requiref(state, luaBytes(name), library, true)
      lua.lua_settop(state, 0)
    }
    this.#defineRedis()
    for (const [name, items] of Object.entries({
      KEYS: this.#given.keys,
      ARGV: this.#given.argv,
    })) {
      pushList(state, items)
      lua.lua_setglobal(state, luaBytes(name))
    }
    const code = luaBytes(prelude)
    lauxlib.luaL_loadbuffer(state, code, code.length, luaBytes('=prelude'))
    const refuse = this.#expose((inner) => {
      const name = readBytes(inner, 1) ?? ''
      if (missingLibrary.test(name)) throw new NotImplemented(`${name} in a Lua script`)
      return null
    })
    lua.lua_pushcfunction(state, refuse)
    if (lua.lua_pcall(state, 1, 0, 0) !== 0) throw new Error(`the Lua prelude failed: ${readBytes(state, -1)}`)
  }

  #failure(): RedisError {
    const { sha } = this.#given
    const isTable = lua.lua_type(this.#state, -1) === luaType.table
    const raised = isTable ? readField(this.#state, 'err') : `ERR ${readBytes(this.#state, -1) ?? 'unknown error'}`
    const text = textFromBytes(raised ?? 'ERR unknown error').replace(/[\r\n]/g, ' ')
    return new RedisError(`${text} script: ${sha}${this.#line && `, on @user_script:${this.#line}`}.`)
  }

  execute(): Reply {
    const state = this.#state
    this.#prepare()
    lua.lua_pushcfunction(state, (inner) => {
      this.#line = whereRaised(inner)
      return 1
    })
    load(state, this.#given.script)
    const status = lua.lua_pcall(state, 0, 1, 1)
    if (this.#fatal) throw this.#fatal.error
    if (status !== 0) throw this.#failure()
    return readReply(state)
  }
}

/** @throws RedisError for an error of the script, NotImplemented if it uses what is not implemented here */
export function runLua(script: LuaScript): Reply {
  return new LuaRun(script).execute()
}
