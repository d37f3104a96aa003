/** Runs the host's tools. Invariant: a tool that fails is an error that carries what it said; nothing goes through a shell. */
import { execFile } from 'node:child_process'

export class ToolError extends Error {
  /** The tool's exit code; undefined if it could not be started or was killed. */
  readonly code: number | undefined
  readonly output: string
  constructor(message: string, code: number | undefined, output: string) {
    super(message)
    this.code = code
    this.output = output
  }
}

type Options = { ok?: number[]; env?: NodeJS.ProcessEnv; input?: string }

/** What the tool wrote on its standard output. `ok` lists the exit codes that mean success. */
export function run(file: string, args: string[], { ok = [0], env, input }: Options = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { maxBuffer: 64 * 1024 * 1024, env: env ?? process.env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
      if (code !== undefined && ok.includes(code)) return resolve(stdout)
      const said = (stderr || stdout).trim().slice(-2000) || error?.message
      reject(new ToolError(`${file} ${args.join(' ')}: ${said}`, code, stdout + stderr))
    })
    if (input === undefined) return
    child.stdin!.on('error', () => {}) // One that ends without reading it says why by its code.
    child.stdin!.end(input)
  })
}
