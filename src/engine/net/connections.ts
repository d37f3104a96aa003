/**
 * Ends tracked connections in a router.
 *
 * Invariant: it comes after the rules that forbid them, so that none begins again in between.
 */
import { writeFile } from 'node:fs/promises'
import type { NetworkSpec } from '#engine/port'
import { inside, run } from '#engine/net/run'
import { isIp6, speaks6 } from '#engine/net/route6'
import { ended, mayEnd, parseConnections } from '#engine/net/untracked'

/** A router's namespace, and a file to write its commands into: conntrack opens what it reads, which no pipe of ours allows. */
export type Place = { space: string; file: string }

/** One process for all; what is gone already is no failure here. */
async function cut({ space, file }: Place, which: string[]): Promise<void> {
  if (which.length === 0) return
  await writeFile(file, which.map(words => `-D ${words}\n`).join(''))
  await run(inside(space, 'conntrack', '-R', file))
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
  const families = speaks6(was) ? ['ipv4', 'ipv6'] : ['ipv4']
  const asked = families.flatMap(family => ['tcp', 'udp'].map(protocol => ['-f', family, '-p', protocol]))
  const lists = await Promise.all(asked.map(words => run(inside(place.space, 'conntrack', '-L', ...words))))
  await cut(place, ended(was, is, lists.flatMap(parseConnections)).map(c =>
    `${familyOf(c.source)}-p ${c.protocol} --orig-src ${c.source} --orig-dst ${c.target} --sport ${c.sourcePort} --dport ${c.targetPort}`))
}
