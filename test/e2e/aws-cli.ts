/**
 * The AWS CLI for many calls: where it is a Python program, it is loaded once and forks for each call (aws.py), which takes a third of the
 * processor's time. Every call is the CLI's own code in a process of its own; that it runs as users run it, the conformance tests show. For a
 * run by hand, where ENCLUME_TEST_FORKS is set: calls so close together still bring out races in tests that wait for too little.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export type Outcome = { code: number; stdout: string; stderr: string }
export type Aws = { call(args: string[]): Promise<Outcome>; close(): void }

const FORKS = fileURLToPath(new URL('aws.py', import.meta.url))

/**
 * How the CLI ends: where AWS refuses, at an option and at an operation that it does not know. Its first and second versions differ (AWS CLI User
 * Guide, "Return codes"); Ubuntu 24.04 has the first alone.
 */
export function exitCodes(cli: string): { refused: number; option: number; operation: number } {
  const [major = 0, minor = 0] = /aws-cli\/(\d+)\.(\d+)/.exec(execFileSync(cli, ['--version'], { encoding: 'utf8' }))!.slice(1).map(Number)
  if (major === 1 && minor >= 46) return { refused: 255, option: 255, operation: 2 }
  if (major === 2 && minor >= 17) return { refused: 254, option: 252, operation: 252 }
  throw new Error(`AWS CLI ${major}.${minor} is too old: 2.17 or 1.46 is needed`)
}

/** The interpreter that a script names, if that is Python. */
function pythonOf(cli: string): string | undefined {
  const [first = ''] = readFileSync(cli).subarray(0, 200).toString('latin1').split('\n')
  return /^#!\s*(\/\S*python3\S*)$/.exec(first)?.[1]
}

/** Undefined where the CLI is no Python program. `cli`: its path; `dir`: where its output is for a moment. */
export function openAws({ cli, env, dir }: { cli: string; env: NodeJS.ProcessEnv; dir: string }): Aws | undefined {
  const python = cli.startsWith('/') ? pythonOf(cli) : undefined
  if (python === undefined) return undefined
  const child = spawn(python, [FORKS], { cwd: dir, env, stdio: ['pipe', 'pipe', 'inherit'] })
  const calls = new Map<number, (code: number | Error) => void>()
  let last = 0
  for (const one of [child, child.stdin, child.stdout]) (one as unknown as { unref(): void }).unref()
  const lost = (): void => { for (const done of calls.values()) done(new Error('the AWS CLI has ended')) }
  child.on('exit', lost)
  child.on('error', lost)
  child.stdin.on('error', lost)
  createInterface({ input: child.stdout }).on('line', line => {
    const [id, code] = line.split(' ').map(Number) as [number, number]
    calls.get(id)!(code)
    calls.delete(id)
  })
  return {
    async call(args) {
      const id = ++last
      const [out, err] = [join(dir, `aws-${id}.out`), join(dir, `aws-${id}.err`)]
      const alive = setInterval(() => {}, 60_000) // The test waits for it, though its pipes are no reason to.
      try {
        const code = await new Promise<number>((resolve, reject) => {
          calls.set(id, result => { if (typeof result === 'number') resolve(result); else reject(result) })
          if (child.exitCode !== null) lost()
          else (child.stdin as Writable).write(`${JSON.stringify({ id, args, env, cwd: dir, out, err })}\n`)
        })
        return { code, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8') }
      } finally {
        clearInterval(alive)
        for (const file of [out, err]) rmSync(file, { force: true })
      }
    },
    close: () => { child.stdin.end() },
  }
}
