/** A server with S3 in a process of its own: to be killed, and to have its memory and its time looked at. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as sdk from '@aws-sdk/client-s3'
import { keys } from '../conformance/server.ts'

const script = fileURLToPath(new URL('s3-server.ts', import.meta.url))
/** What the kernel counts processor time in (sysconf _SC_CLK_TCK, 100 on Linux's usual platforms). */
const TICKS = 100

export type S3Child = {
  child: ChildProcess
  s3: sdk.S3Client
  /** Of its memory in MiB: what it has (VmRSS), the most that it had (VmHWM). */
  memory(field: 'VmRSS' | 'VmHWM'): number
  /** Processor time used so far, in seconds. */
  cpu(): number
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
}

export async function startS3(dir: string, config: Partial<sdk.S3ClientConfig> = {}): Promise<S3Child> {
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout!, 'data') as [Buffer]
  const s3 = new sdk.S3Client({
    endpoint: line.toString().trim(), region: 'us-east-1', credentials: keys, forcePathStyle: true, maxAttempts: 1, ...config,
  })
  const proc = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  return {
    child, s3,
    memory: field => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(proc('status'))![1]) / 1024,
    cpu() {
      const fields = proc('stat').slice(proc('stat').lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS
    },
    async kill() {
      s3.destroy()
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

const PIECE = Buffer.alloc(1 << 20, 'enclume')
/** So many MiB that are never in memory at once. */
export function* pieces(mib: number): Generator<Buffer> {
  for (let i = 0; i < mib; i++) yield PIECE
}
