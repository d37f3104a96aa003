/**
 * Runs the host's commands.
 *
 * Invariant: arguments are passed as a list, never through a shell; a command that must succeed and does not is a Failure with
 * the end of what it printed.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Failure } from '#launch/failure'

export type Result = { code: number; stdout: string; stderr: string }
export type RunOptions = { env?: Record<string, string>; cwd?: string; onLine?: (line: string) => void; input?: string }

/** Runs to the end. A command that does not exist answers 127, as in a shell. */
export function run(command: string, args: string[], { env, cwd, onLine, input }: RunOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, LC_ALL: 'C.UTF-8', ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    const text = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => { text[name] += chunk })
      if (onLine) createInterface({ input: child[name] }).on('line', onLine)
    }
    // A child that never reads its input closes the pipe early: its exit code tells all there is to tell.
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ code: 127, stdout: '', stderr: `${command}: not found` })
      else reject(error)
    })
    child.on('close', (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), ...text }))
  })
}

/** Runs a command that must succeed; returns what it printed on stdout. */
export async function must(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code === 0) return stdout
  const end = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).map(line => `    ${line}`).join('\n')
  throw new Failure(`${[command, ...args].join(' ')} failed with ${code}:\n${end}`)
}
