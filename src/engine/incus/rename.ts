/**
 * A network link in a running guest under the name that it was given there.
 *
 * Why: a guest's root may rename its links, and Incus takes back only what is called as it was; once that has failed, it has forgotten
 * which link it was. So the name is made good before. The hardware address tells the link.
 */
import { run, ToolError } from '#engine/disk/run'

type Link = { ifname: string; address?: string }

/** `pid`: the guest's init, as the host numbers it. Does nothing where no link has the address: then there is nothing to take back. */
export async function restoreName({ pid, mac, name }: { pid: number; mac: string; name: string }): Promise<void> {
  const ip = (...args: string[]) => run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args])
  try {
    const found = (JSON.parse(await ip('-json', 'link')) as Link[]).find(({ address }) => address === mac)
    if (!found || found.ifname === name) return
    await ip('link', 'set', found.ifname, 'down')
    await ip('link', 'set', found.ifname, 'name', name)
  } catch (error) {
    // The namespace ends with the guest: a machine that is off has no link to rename.
    if (!(error instanceof ToolError)) throw error
  }
}
