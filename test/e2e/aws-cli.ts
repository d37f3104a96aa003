/**
 * The AWS CLI for many calls: where it is a Python program, it is loaded once and forks for each call (aws.py), which takes a third of the
 * processor's time. Every call is the CLI's own code in a process of its own; that it runs as users run it, the conformance tests show. For a
 * run by hand, where ENCLUME_TEST_FORKS is set: calls so close together still bring out races in tests that wait for too little.
 */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export type Outcome = { code: number; stdout: string; stderr: string }
export type Aws = { call(args: string[]): Promise<Outcome>; close(): void }

const FORKS = fileURLToPath(new URL('aws.py', import.meta.url))

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
