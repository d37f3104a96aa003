/** The real engine: Incus for machines and disks, the kernel's namespaces and nftables for networks. */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { openDisks } from '#engine/disk/disks'
import { capacityOf } from '#engine/incus/capacity'
import { openGuard } from '#engine/incus/guard'
import { openMeters } from '#engine/incus/meters'
import { daemonClient } from '#engine/incus/place'
import { openMachines } from '#engine/incus/machines'
import { openNetworks } from '#engine/net/networks'
import type { Engine } from '#engine/port'

export function openReal(home: Home, log: Log): Engine {
  const client = daemonClient(home)
  const networks = openNetworks(home, log)
  const guard = openGuard(home, client, log)
  guard.watch()
  return {
    name: 'incus',
    machines: openMachines(home, client, log, guard),
    disks: openDisks(home, client, log),
    networks,
    meters: openMeters(home),
    capacity: () => capacityOf(home, client),
    diskFreeGiB: () => guard.freeGiB(),
    async close() {
      await guard.close()
      await networks.close()
    },
  }
}
