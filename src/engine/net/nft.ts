/**
 * A long-lived nftables process inside a namespace: a transaction costs about a millisecond instead of a process.
 *
 * Invariant: one call of `load` is one atomic transaction; it throws when nftables refused it, and then nothing has changed.
 * The process also holds the namespace open, so it must be closed before the namespace is deleted.
 */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { inside } from '#engine/net/run'

export type Nft = {
  /** A process inside the namespace. */
  pid: number
  /** False once it has ended. */
  alive(): boolean
  /** Loads this text; returns what nftables printed (of `list` commands). */
  load(text: string): Promise<string>
  /** Resolves when it has ended. */
  close(): Promise<void>
}

/** Makes nftables print one known line without asking the kernel: the end of the answer before it. */
const MARKER = 'describe ip ttl'
const MARKED = /^payload expression[^\n]*\n/m

/** Opens it. `file` is where its transactions are written before they are loaded, the newest stays for whoever looks. */
export function openNft(space: string, file: string): Nft {
  // One pipe for both outputs, so that an error cannot come after the marker that follows it.
  const child = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...inside(space, 'nft', '-i')], { stdio: ['pipe', 'pipe', 'ignore'] })
  let heard = ''
  let ended: Error | undefined
  let wake = () => {}
  child.stdout.setEncoding('utf8').on('data', text => { heard += text; wake() })
  const end = (why: string, cause?: Error) => { ended ??= new Error(`nft in ${space} ${why}: ${heard.trim()}`, { cause }); wake() }
  child.on('error', cause => end('cannot be run', cause)).on('close', code => end(`ended with status ${code}`))
  // A write after its end: `close` says so.
  child.stdin.on('error', () => {})

  async function transact(text: string): Promise<string> {
    await writeFile(file, text)
    heard = ''
    child.stdin.write(`include "${file}"\n${MARKER}\n`)
    while (!ended && !MARKED.test(heard)) await new Promise<void>(resolve => { wake = resolve })
    if (ended) throw ended
    const answer = heard.replace(MARKED, '')
    if (/(^|\n)[^\n]*\bError: /.test(answer)) throw new Error(`nft in ${space} refused: ${answer.trim().slice(0, 2000)}`)
    return answer
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    pid: child.pid ?? 0,
    alive: () => ended === undefined,
    load(text) {
      const next = last.then(() => transact(text))
      last = next.catch(() => {})
      return next
    },
    async close() {
      child.stdin.end()
      while (!ended) await new Promise<void>(resolve => { wake = resolve })
    },
  }
}
