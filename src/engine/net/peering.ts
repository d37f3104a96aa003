/**
 * Links between the routers of two networks that are peers.
 *
 * Invariant: a link is made with both its ends or not at all. Each router sees to its own end (route.ts); either may remove the link,
 * and then both have lost it.
 */
import type { Home } from '#base/home'
import { MTU, peerDevice, routerSpace } from '#engine/net/names'
import { readLinks, removeLinks } from '#engine/net/kernel'
import { ipBatch } from '#engine/net/run'
import { spaceExists } from '#engine/net/space'

/**
 * Makes the links that a network lacks to these of its peers, where their routers are there; answers to which it did. Both ends are bare
 * then. One network at a time, lest two make one link.
 */
export async function makeLinks(home: Home, index: number, peers: number[]): Promise<number[]> {
  if (peers.length === 0) return []
  const space = routerSpace(home, index)
  const there = new Set((await readLinks(space)).map(link => link.name))
  const lacking = peers.filter(peer => !there.has(peerDevice(peer)) && spaceExists(routerSpace(home, peer)))
  for (const peer of lacking) {
    // What is left of a link whose other end is gone may be going just now.
    await removeLinks([peerDevice(index)], routerSpace(home, peer))
    await ipBatch([
      `link add ${peerDevice(peer)} mtu ${MTU} type veth peer name ${peerDevice(index)} mtu ${MTU} netns ${routerSpace(home, peer)}`,
    ], space)
  }
  return lacking
}
