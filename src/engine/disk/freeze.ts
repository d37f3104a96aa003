/**
 * Holds a mounted file system still while it is copied.
 *
 * Invariant: it thaws whatever happens to this process: a child freezes it and thaws it when its standard input ends.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Does `act` while nothing is written to the file system at `point`. */
export async function frozen<T>(point: string, act: () => Promise<T>): Promise<T> {
  // The trap keeps a terminal's Ctrl-C, which goes to the whole group, from ending the child before it has thawed.
  const script = 'trap "" INT TERM HUP; fsfreeze --freeze "$0" && echo frozen && cat > /dev/null; fsfreeze --unfreeze "$0"'
  const child = spawn('sh', ['-c', script, point], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'exit') as Promise<[number | null]>
  let said = ''
  child.stderr.on('data', (part: Buffer) => { said += String(part) })
  const started = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!started) throw new Error(`${point} can't be frozen: ${said.trim()}`)
  const thaw = async () => {
    child.stdin.end()
    const [code] = await ended
    if (code !== 0) throw new Error(`${point} can't be thawed: ${said.trim()}`)
  }
  const result = await act().catch(async (error: unknown) => {
    await thaw()
    throw error
  })
  await thaw()
  return result
}
