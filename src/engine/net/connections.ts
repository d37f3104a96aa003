/**
 * Ends tracked connections in a router.
 *
 * Invariant: it comes after the rules that forbid them, so that none begins again in between.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { NetworkSpec } from '#engine/port'
import { inside, run } from '#engine/net/run'
import { isIp6 } from '#engine/net/route6'
import { ended, mayEnd, parseConnections } from '#engine/net/untracked'

/** A router's namespace, a process in it, and a file to write commands into: conntrack opens what it reads, which no pipe of ours allows. */
export type Place = { space: string; pid: number; file: string }

/** What the tool says when a connection has ended by itself after it was listed and before its turn to be cut, and then goes no further. */
const ENDED_FIRST = "such conntrack doesn't exist"
const TRIES = 100

/**
 * One process for all. What is gone already is no failure here; what goes in the middle of it ends the process, which is then run again over
 * what is left.
 */
async function cut({ space, file }: Place, which: string[]): Promise<void> {
  if (which.length === 0) return
  await writeFile(file, which.map(words => `-D ${words}\n`).join(''))
  for (let tries = 1; ; tries++) {
    const failed = await run(inside(space, 'conntrack', '-R', file)).then(() => undefined, (error: Error) => error)
    if (!failed) return
    if (tries === TRIES || !failed.message.includes(ENDED_FIRST)) throw failed
  }
}

/**
 * All connections of addresses that have lost their owner. A connection has its private address as source, or answers from it;
 * it has its public address as destination, or answers to it.
 */
export const cutAddresses = (place: Place, lost: { address: string; isPublic: boolean }[]): Promise<void> =>
  cut(place, lost.flatMap(({ address, isPublic }) =>
    (isPublic ? ['--orig-dst', '--reply-dst'] : ['--orig-src', '--reply-src']).map(side => `${familyOf(address)}${side} ${address}`)))

const familyOf = (address: string): string => (isIp6(address) ? '-f ipv6 ' : '')

/** Connections that the groups' rules end by changing. */
export async function cutUntracked(place: Place, was: NetworkSpec, is: NetworkSpec): Promise<void> {
  if (!mayEnd(was, is)) return
  await cut(place, ended(was, is, parseConnections(await listed(place))).map(c =>
    `${familyOf(c.source)}-p ${c.protocol} --orig-src ${c.source} --orig-dst ${c.target} --sport ${c.sourcePort} --dport ${c.targetPort}`))
}

/** By the kernel's own file, in a tenth of the time that a process takes; kernels without it have only the process. */
async function listed({ space, pid }: Place): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/net/nf_conntrack`, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return (await Promise.all(['ipv4', 'ipv6'].map(family => run(inside(space, 'conntrack', '-L', '-f', family))))).join('\n')
  }
}
