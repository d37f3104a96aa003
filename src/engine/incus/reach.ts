/**
 * Whether a guest's first interface answers on the network.
 *
 * From inside the guest's network namespace, where nothing of the guest is run, its kernel asks its router for the router's
 * hardware address, and the answer must arrive: an ARP exchange over the wire between the interface and the network. It proves
 * that init is alive, that the interface is up with an address and a default route, and that packets pass in both ways.
 */
import { run, ToolError } from '#engine/disk/run'
import { until } from '#engine/incus/process'

const FIRST = 'ens5'
const ANSWER_MS = 1000

/** `pid`: the guest's init, as the host numbers it; 0 when there is none. */
export async function answers(pid: number): Promise<boolean> {
  if (pid <= 0) return false
  const ip = (...args: string[]) => run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args])
  try {
    const [route] = JSON.parse(await ip('-json', '-4', 'route', 'show', 'default', 'dev', FIRST)) as { gateway?: string }[]
    if (!route?.gateway) return false
    // What the kernel knew is forgotten, so that only an answer given now counts.
    await ip('neigh', 'flush', 'to', route.gateway, 'dev', FIRST)
    await ip('neigh', 'replace', route.gateway, 'dev', FIRST, 'use')
    return await until(async () => {
      const rows = JSON.parse(await ip('-json', 'neigh', 'show', 'to', route.gateway!, 'dev', FIRST)) as { state?: string[] }[]
      return rows.some(({ state }) => state?.includes('REACHABLE'))
    }, ANSWER_MS, 20)
  } catch (error) {
    // The namespace ends with the guest, and the device's name is the guest's to change.
    if (error instanceof ToolError) return false
    throw error
  }
}
