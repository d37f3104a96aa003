/**
 * The API as instances reach it: by AWS's names, over TLS, and nothing else of this process. The object store has a door of its own, and so has
 * each interface of a VPC endpoint.
 *
 * Invariant: a door tells by which endpoint a request came from what the network made true, and never from the request.
 */
import { openAuthority } from '#base/authority'
import { systemClock } from '#base/clock'
import { API_PORT, serviceAddress, STORE_PORT, type Home } from '#base/home'
import type { Cloud } from '#cloud'
import type { Answering, Networks } from '#engine/port'
import { servedHosts, STORE } from '#service/index'
import { answeredAt, gatewayOrigin, insideOrigin } from '#service/ec2/vpc-endpoint/origin'
import { openWire, type WireOptions } from '#wire/server'
import { secureNames } from '#wire/tls'

type Inside = { home: Home; cloud: Cloud; networks: Networks; api: WireOptions }

export async function openInside({ home, cloud, networks, api }: Inside): Promise<{ close(): Promise<void> }> {
  const { store } = cloud.context
  const served = servedHosts(cloud.services, home.region)
  const authority = openAuthority(home.dir, systemClock())
  const of = (id: string) => api.services.filter(service => service.id === id)
  const host = openWire({ ...api, secure: secureNames(authority, served.host, systemClock) })
  const objects = openWire({
    ...api, services: of(STORE), secure: secureNames(authority, served.store, systemClock), origin: peer => gatewayOrigin(store, home, peer),
  })

  const answering: Answering = async (port, listening) => {
    const answered = await answeredAt(store, port)
    const door = openWire({
      ...api, services: answered ? of(answered.service) : [], secure: secureNames(authority, answered?.domains ?? [], systemClock),
      origin: peer => insideOrigin(store, port, peer),
    })
    await door.take(listening)
    return door
  }

  await host.listen(API_PORT, serviceAddress(home))
  await objects.listen(STORE_PORT, serviceAddress(home))
  networks.answering(answering)
  await networks.serve(served)
  return { close: async () => { await Promise.all([host.close(), objects.close()]) } }
}
